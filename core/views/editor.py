"""The view of a form that has the conditions of a filter beside its fields."""

from django import forms


class EditorViewMixin:
    """Buttons of the form change the conditions; only one of them saves. ``editor`` holds them."""

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"editor": self.editor}

    def get_context_data(self, **kwargs):
        return {**super().get_context_data(**kwargs), "editor": self.editor}

    def post(self, request, *args, **kwargs):
        do = request.POST.get("do", "save")
        if do != "save":
            self.editor.change(do, request.POST)
            return self.redraw(status=200)
        return super().post(request, *args, **kwargs)

    def redraw(self, *, status, message=""):
        """The page again, with what was typed."""
        kwargs = self.get_form_kwargs()
        typed = {name: value for name, value in kwargs.pop("data").items() if "." not in name}
        kwargs.pop("files", None)
        kwargs["initial"] = {**kwargs.get("initial", {}), **typed}
        form = self.form_class(**kwargs)
        for name, field in form.fields.items():
            if isinstance(field, forms.BooleanField):
                form.initial[name] = name in typed
        context = self.get_context_data(form=form, editor_error=message)
        return self.render_to_response(context, status=status)
