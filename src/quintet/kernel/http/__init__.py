"""The HTTP edge: from a socket's bytes to one call of an action, and back."""

from quintet.kernel.http.answer import Answer
from quintet.kernel.http.call import Call
from quintet.kernel.http.multipart import File, Form, FormPart, read_form
from quintet.kernel.http.paging import Cursor, Limit, Page
from quintet.kernel.http.routes import delete, get, patch, post, put

__all__ = [
    "Answer", "Call", "Cursor", "File", "Form", "FormPart", "Limit", "Page", "delete", "get", "patch", "post",
    "put", "read_form",
]  # fmt: skip
