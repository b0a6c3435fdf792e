// Forms that send what a passkey signs, by data-passkey: "create" makes one, "use" and "login" ask
// for one. Without it the form says that a key is missing; its buttons are shown where it can work.

const credentials = navigator.credentials && window.PublicKeyCredential;

async function optionsFor(form) {
  if (form.dataset.passkey !== "login") {
    return JSON.parse(document.getElementById("passkey-options").textContent);
  }
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  return answer.json();
}

async function ask(form) {
  const options = await optionsFor(form);
  if (form.dataset.passkey === "create") {
    const wanted = options.creation_options.publicKey;
    if (form.elements.passwordless?.checked) {
      Object.assign(wanted.authenticatorSelection, {
        residentKey: "required", requireResidentKey: true, userVerification: "required",
      });
    }
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(wanted);
    return navigator.credentials.create({ publicKey });
  }
  const wanted = options.request_options.publicKey;
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(wanted) });
}

if (credentials) {
  for (const button of document.querySelectorAll("[data-needs-script]")) button.hidden = false;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const found = await ask(form);
        form.elements.credential.value = JSON.stringify(found.toJSON());
        form.submit();
      } catch {
        form.querySelector("[type=submit]")?.focus(); // refused or cancelled: nothing happens
      }
    });
  }
}
