"""An admin with the one model whose rows are reviewed."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from .library.models import Author

admin.site.register(Author)

urlpatterns = [path("admin/", admin.site.urls)]
