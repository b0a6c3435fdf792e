import os
import secrets
import tempfile


def read_or_create(path):
    """
    Return the secret key kept in ``path``; write a new one there first if there is none.

    Only the owner may read the file. Several processes may start at once: whichever links its
    complete file first wins, and all of them return that key.
    """
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    return path.read_text().strip()
