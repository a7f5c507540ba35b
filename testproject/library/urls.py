from __future__ import annotations

from django.urls import path

from testproject.library import views

app_name = "library"
urlpatterns = [path("authors/", views.authors, name="authors")]
