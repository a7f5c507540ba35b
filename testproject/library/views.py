"""One page that looks authors up by GET and creates one only by POST."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from testproject.library.forms import AuthorForm
from testproject.library.models import Author

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_http_methods(["GET", "HEAD", "POST"])
def authors(request: HttpRequest) -> HttpResponse:
    """Show the authors of a name; create the author only when the form is sent by POST.

    A GET may be repeated, prefetched and crawled, so it never creates.
    """
    form = AuthorForm(request.POST or request.GET or None)
    if request.method == "POST" and form.is_valid():
        Author.objects.get_or_create(**form.cleaned_data)
        return redirect(request.path)
    found = Author.objects.order_by("last_name", "first_name")
    if form.is_bound and form.is_valid():
        found = found.filter(**form.cleaned_data)
    return render(request, "library/authors.html", {"form": form, "authors": found})
