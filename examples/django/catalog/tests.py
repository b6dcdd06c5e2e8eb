"""What must hold before a commit may leave the machine: the page, and the answer to health checks."""

from django.test import TestCase

from catalog.models import Product


class ProductsTest(TestCase):
    def test_an_empty_shop_says_so(self):
        self.assertContains(self.client.get("/"), "Nothing yet.")

    def test_prices_are_shown_with_two_digits_of_cents(self):
        Product.objects.create(name="Tea", cents=305)
        self.assertContains(self.client.get("/"), "Tea <b>3.05</b>", html=False)


class HealthTest(TestCase):
    def test_it_tells_the_environment_what_is_installed_and_that_the_database_answers(self):
        Product.objects.create(name="Tea", cents=305)
        answer = self.client.get("/healthz").json()
        self.assertEqual(answer["environment"], "development")
        self.assertEqual(answer["products"], 1)
        self.assertIn("Django", answer["installed"])

    def test_a_working_copy_has_no_release(self):
        self.assertIsNone(self.client.get("/healthz").json()["release"])
