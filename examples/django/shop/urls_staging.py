"""The addresses of the shop, and the debug toolbar's."""

from django.urls import include, path

from shop.urls import urlpatterns as shop

urlpatterns = [*shop, path("__debug__/", include("debug_toolbar.urls"))]
