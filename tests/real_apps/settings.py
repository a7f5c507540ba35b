"""Settings of a project that has all the supported libraries installed at once.

``DATABASE_URL`` chooses the database, as in the plain suite.
"""

from __future__ import annotations

from oscar.defaults import *  # noqa: F403

from testproject.settings import *  # noqa: F403
from testproject.settings import INSTALLED_APPS, MIDDLEWARE, TEMPLATES

WAGTAIL_APPS = [
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
]
OSCAR_APPS = [
    "oscar.config.Shop",
    "oscar.apps.analytics.apps.AnalyticsConfig",
    "oscar.apps.checkout.apps.CheckoutConfig",
    "oscar.apps.address.apps.AddressConfig",
    "oscar.apps.shipping.apps.ShippingConfig",
    "oscar.apps.catalogue.apps.CatalogueConfig",
    "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
    "oscar.apps.communication.apps.CommunicationConfig",
    "oscar.apps.partner.apps.PartnerConfig",
    "oscar.apps.basket.apps.BasketConfig",
    "oscar.apps.payment.apps.PaymentConfig",
    "oscar.apps.offer.apps.OfferConfig",
    "oscar.apps.order.apps.OrderConfig",
    "oscar.apps.customer.apps.CustomerConfig",
    "oscar.apps.search.apps.SearchConfig",
    "oscar.apps.voucher.apps.VoucherConfig",
    "oscar.apps.wishlists.apps.WishlistsConfig",
    "oscar.apps.dashboard.apps.DashboardConfig",
    *(
        f"oscar.apps.dashboard.{name}.apps.{config}DashboardConfig"
        for name, config in {
            "reports": "Reports",
            "users": "Users",
            "orders": "Orders",
            "catalogue": "Catalogue",
            "offers": "Offers",
            "partners": "Partners",
            "pages": "Pages",
            "ranges": "Ranges",
            "reviews": "Reviews",
            "vouchers": "Vouchers",
            "communications": "Communications",
            "shipping": "Shipping",
        }.items()
    ),
    "haystack",
    "django_tables2",
    "widget_tweaks",
]
INSTALLED_APPS = [
    *(app for app in INSTALLED_APPS if not app.startswith("testproject.")),
    "django.contrib.sites",
    "django.contrib.flatpages",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "auditlog",
    "guardian",
    "mptt",
    "parler",
    "polymorphic",
    "reversion",
    "simple_history",
    "taggit",
    "treebeard",
    "treenode",
    "watson",
    *WAGTAIL_APPS,
    *OSCAR_APPS,
    "tests.real_apps",
]
MIDDLEWARE = [*MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]
TEMPLATES = [{**TEMPLATES[0], "DIRS": []}]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ROOT_URLCONF = "tests.real_apps.urls"
SITE_ID = 1
PARLER_LANGUAGES = {1: [{"code": "en"}, {"code": "de"}]}
DEBUG = False
SILENCED_SYSTEM_CHECKS = ["models.W036", "models.W044"]
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
WAGTAIL_SITE_NAME = "real apps"
WAGTAILADMIN_BASE_URL = "http://localhost"
MEDIA_ROOT = BASE_DIR / "build" / "real-apps-media"  # noqa: F405
