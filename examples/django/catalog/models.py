"""What the shop sells."""

from django.db import models


class Product(models.Model):
    """Something with a price."""

    name = models.CharField(max_length=100, unique=True)
    cents = models.PositiveIntegerField()

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name

    def price(self):
        """The price as a customer reads it."""
        return f"{self.cents // 100}.{self.cents % 100:02}"
