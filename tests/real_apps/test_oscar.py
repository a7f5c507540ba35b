"""django-oscar: a shop's products and partners, with stock, baskets, orders and reviews on them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from oscar.core.loading import get_model

from dedupe_toolkit.errors import MergeRefused
from tests.kit import assert_undo_restores, merged, planned, snapshot
from tests.real_apps.integrity import soundly_merged

pytestmark = [
    pytest.mark.django_db,
    # haystack's backend without an index says so whenever a product is saved
    pytest.mark.filterwarnings("ignore:update is not implemented:UserWarning"),
]

Basket = get_model("basket", "Basket")
Category = get_model("catalogue", "Category")
Partner = get_model("partner", "Partner")
Product = get_model("catalogue", "Product")
ProductClass = get_model("catalogue", "ProductClass")
ProductRecord = get_model("analytics", "ProductRecord")
ProductReview = get_model("reviews", "ProductReview")
StockRecord = get_model("partner", "StockRecord")
WishList = get_model("wishlists", "WishList")


def products() -> list[Product]:
    books, _ = ProductClass.objects.get_or_create(name="Books", track_stock=True)
    return [Product.objects.create(title="War and Peace", product_class=books) for _ in range(2)]


def stock(product: Product, partner: Partner, sku: str) -> StockRecord:
    return StockRecord.objects.create(
        product=product, partner=partner, partner_sku=sku, price=Decimal("9.99"), num_in_stock=5
    )


def test_a_merged_product_has_the_stock_the_categories_and_the_customers_of_both() -> None:
    survivor, duplicate = products()
    partner = Partner.objects.create(name="press")
    records = [stock(survivor, partner, "a"), stock(duplicate, partner, "b")]
    novels, russian = (Category.add_root(name=name) for name in ("novels", "russian"))
    survivor.categories.add(novels)
    duplicate.categories.add(novels, russian)
    user = User.objects.create_user("reader")
    basket = Basket.objects.create(owner=user)
    for product, record in zip((survivor, duplicate), records, strict=True):
        basket.lines.create(
            product=product,
            stockrecord=record,
            line_reference=f"{product.pk}_{record.pk}",
            price_excl_tax=record.price,
        )
    WishList.objects.create(owner=user).add(duplicate)
    ProductReview.objects.create(product=duplicate, user=user, score=5, title="x", body="y")
    survivor.recommended_products.add(duplicate)
    run, before = soundly_merged(Product, "title")
    survivor = Product.objects.get(pk=survivor.pk)
    assert set(survivor.stockrecords.all()) == set(records)
    assert set(survivor.categories.all()) == {novels, russian}
    assert {line.product for line in Basket.objects.get().lines.all()} == {survivor}
    assert survivor.reviews.count() == survivor.wishlists_lines.count() == 1
    assert Category.find_problems() == ([], [], [], [], [])
    assert_undo_restores(run, before)


def test_popularity_of_both_products_collides_until_told_which_counts() -> None:
    survivor, duplicate = products()
    for views, product in enumerate((survivor, duplicate), start=5):
        ProductRecord.objects.create(product=product, num_views=views)
    before = snapshot()
    assert "analytics.ProductRecord" in merged(Product, "title").held_back[0]["reason"]
    assert snapshot() == before
    rules = {"analytics.ProductRecord.product": "discard"}
    run, before = soundly_merged(Product, "title", collisions=rules)
    assert Product.objects.get().stats.num_views == 5
    assert_undo_restores(run, before)


def test_a_merged_partner_sells_what_either_sold() -> None:
    survivor, duplicate = (Partner.objects.create(name="press") for _ in range(2))
    first, second = products()
    records = {stock(first, survivor, "a"), stock(second, duplicate, "b")}
    duplicate.users.add(User.objects.create_user("seller"))
    run, before = soundly_merged(Partner, "name")
    assert set(survivor.stockrecords.all()) == records
    assert survivor.users.count() == 1
    assert_undo_restores(run, before)


def test_the_tree_of_categories_is_refused() -> None:
    with pytest.raises(MergeRefused, match="django-treebeard"):
        planned(Category, "name")
