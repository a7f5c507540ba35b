"""References with and without an index that leads to them."""

from __future__ import annotations

from django.db import models


class Reader(models.Model):
    name = models.CharField(max_length=50)


class Loan(models.Model):
    """The database checks the key, and has no index to do so, but on MariaDB and MySQL."""

    reader = models.ForeignKey(Reader, models.CASCADE, db_index=False)


class Visit(models.Model):
    reader = models.ForeignKey(Reader, models.CASCADE, db_index=False, db_constraint=False)


class Reservation(models.Model):
    """Found by the unique rule's index, whose first column is the key."""

    reader = models.ForeignKey(Reader, models.CASCADE, db_index=False, db_constraint=False)
    day = models.IntegerField()

    class Meta:
        unique_together = [("reader", "day")]


class Shift(models.Model):
    """The key is the second column of the only index, which leads nowhere."""

    reader = models.ForeignKey(Reader, models.CASCADE, db_index=False, db_constraint=False)
    day = models.IntegerField()

    class Meta:
        unique_together = [("day", "reader")]


class Fine(models.Model):
    """Some rows have an index only."""

    reader = models.ForeignKey(Reader, models.CASCADE, db_index=False, db_constraint=False)
    paid = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["reader"], condition=models.Q(paid=False), name="unpaid_fines")
        ]


class Card(models.Model):
    """Its key is that of the reader."""

    reader = models.OneToOneField(Reader, models.CASCADE, primary_key=True)


class Stamp(models.Model):
    """Points at rows that may lose to a rival."""

    reservation = models.ForeignKey(
        Reservation, models.CASCADE, db_index=False, db_constraint=False
    )


class Ledger(models.Model):
    """A table that Django does not make."""

    reader = models.ForeignKey(Reader, models.CASCADE, db_index=False, db_constraint=False)

    class Meta:
        managed = False
        db_table = "indexes_ledger"
