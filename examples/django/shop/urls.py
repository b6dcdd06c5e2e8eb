"""The addresses of the shop."""

from django.urls import path

from catalog import views

urlpatterns = [
    path("", views.products),
    path("healthz", views.healthz),
]
