"""The list of products, and what health checks ask."""

from importlib.metadata import distributions

from django.conf import settings
from django.http import JsonResponse
from django.shortcuts import render

from catalog.models import Product


def products(request):
    """All products on one page."""
    return render(request, "catalog/products.html", {"products": Product.objects.all()})


def healthz(request):
    """Which release answers, from where, with what installed, and that its database is there and migrated."""
    release, commit = version()
    return JsonResponse(
        {
            "environment": settings.ENVIRONMENT,
            "release": release,
            "commit": commit,
            "products": Product.objects.count(),
            # Here for all to see, because this example is about requirements. A real shop keeps it to itself.
            "installed": {one.name: one.version for one in sorted(distributions(), key=lambda one: one.name)},
        }
    )


def version():
    """The number and the commit of this release, as its build wrote them down; a working copy has none."""
    try:
        release, commit = (settings.BASE_DIR / "VERSION").read_text().split()
    except FileNotFoundError:
        return None, None
    return int(release), commit
