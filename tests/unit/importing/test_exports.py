"""The exports of common shops, and files of any shop, are understood; what is not is said."""

from pathlib import Path

import pytest

from deploy.errors import LocalError
from deploy.importing.reading.layouts import recognise
from services.ingest.domain.checking import check
from tests.support.clock import ManualClock
from tests.unit.importing.files import SHOPIFY, events, pieces

PLAIN = "order_id,date,amount,customer_id,currency\n"


def test_the_rows_of_a_shopify_order_become_one_event_with_its_lines(tmp_path: Path) -> None:
    (event,) = events(
        tmp_path,
        SHOPIFY
        + "#1001,ana@example.com,paid,2024-03-04 10:11:13 -0500,USD,49.20,WELCOME,2024-03-04 10:11:12 -0500,2,Mug,"
        "12.30,A-1,Ana Lima,,0.00,5501,web,'+1 212 555 0100\n"
        "#1001,ana@example.com,,,,,,2024-03-04 10:11:12 -0500,1,Pot,20.40,B-2,,,,,,\n",
    )

    assert event == {
        "id": "order-5501",
        "source": "import",
        "type": "order.completed",
        "time": "2024-03-04T15:11:12Z",
        "data": {
            "customer": {"email": "ana@example.com", "phone": "+1 212 555 0100", "name": "Ana Lima"},
            "order_id": "5501",
            "currency": "USD",
            "total": "49.20",
            "channel": "web",
            "coupon": "WELCOME",
            "lines": [
                {"sku": "A-1", "name": "Mug", "quantity": 2, "unit_price": "12.30"},
                {"sku": "B-2", "name": "Pot", "quantity": 1, "unit_price": "20.40"},
            ],
        },
    }


def test_what_went_back_of_an_order_becomes_a_refund_right_after_it(tmp_path: Path) -> None:
    order, refund, whole, all_of_it = events(
        tmp_path,
        SHOPIFY
        + "#2,a@b.cd,partially_refunded,,USD,30.00,,2024-03-05 10:00:00 -0500,1,Mug,30,A,,,10.00,52,web,\n"
        + "#3,a@b.cd,refunded,,USD,30.00,,2024-03-06 10:00:00 -0500,1,Mug,30,A,,,,53,web,\n",
    )

    assert (order["type"], refund["type"]) == ("order.completed", "order.refunded")
    assert refund["id"] == "order-52-refunded"
    assert refund["time"] == "2024-03-05T15:00:01Z"
    assert (refund["data"]["order_id"], refund["data"]["total"]) == ("52", "10.00")
    assert all_of_it["data"]["total"] == whole["data"]["total"] == "30.00"


@pytest.mark.parametrize(
    ("word", "cancelled_at", "reason"),
    [
        ("pending", "", "not paid"),
        ("voided", "", "not paid"),
        ("paid", "2024-03-07 10:00:00 -0500", "cancelled"),
    ],
)
def test_orders_that_do_not_count_are_passed_over(
    tmp_path: Path, word: str, cancelled_at: str, reason: str
) -> None:
    row = f"#2,a@b.cd,{word},,USD,30.00,,2024-03-05 10:00:00 -0500,1,Mug,30,A,,{cancelled_at},,52,web,\n"

    (piece,) = pieces(tmp_path, SHOPIFY + row)

    assert (piece.skipped, piece.events) == (reason, ())


def test_an_order_of_nobody_is_passed_over(tmp_path: Path) -> None:
    (piece,) = pieces(
        tmp_path, SHOPIFY + "#2,,paid,,USD,30.00,,2024-03-05 10:00:00 -0500,1,Mug,30,A,,,,52,pos,\n"
    )

    assert piece.skipped == "no customer named"


@pytest.mark.parametrize(
    ("header", "row", "customer", "layout"),
    [
        (
            (
                "order_id,order_number,date,status,order_total,order_currency,customer_id,billing_email,"
                "billing_first_name"
            ),
            "77,1077,2024-03-04 10:11:12,wc-completed,49.20,USD,0,ana@example.com,Ana",
            {"email": "ana@example.com", "first_name": "Ana"},
            "WooCommerce orders",
        ),
        (
            (
                "Order Number,Order Status,Order Date,First Name (Billing),Email (Billing),Order Total Amount,"
                "Order Currency,Customer User ID"
            ),
            "77,Completed,2024-03-04 10:11,Ana,ana@example.com,49.20,USD,5",
            {"id": "5", "email": "ana@example.com", "first_name": "Ana"},
            "WooCommerce orders (order export plugin)",
        ),
        (
            (
                "ID,Purchase Point,Purchase Date,Bill-to Name,Grand Total (Base),Grand Total (Purchased),Status,"
                "Customer Email,Total Refunded"
            ),
            '77,Main,"Mar 4, 2024 10:11:12 AM",Ana Lima,49.2000,49.2000,complete,ana@example.com,0.0000',
            {"email": "ana@example.com", "name": "Ana Lima"},
            "Magento orders",
        ),
        (
            (
                "Order ID,Customer ID,Customer Name,Customer Email,Order Date,Order Status,Order Total (inc tax),"
                "Order Currency Code"
            ),
            "77,5,Ana Lima,ana@example.com,2024-03-04,Awaiting Fulfillment,49.20,USD",
            {"id": "5", "email": "ana@example.com", "name": "Ana Lima"},
            "BigCommerce orders",
        ),
        (
            "Order No,Transaction Date,Amount,Customer No,E-Mail",
            "77,2024-03-04 10:11,$49.20,5,ana@example.com",
            {"id": "5", "email": "ana@example.com"},
            "orders",
        ),
    ],
)
def test_exports_are_recognised(
    tmp_path: Path, header: str, row: str, customer: dict[str, str], layout: str
) -> None:
    """Given an export; when imported; then it is known by its columns, and ingest would take its events."""
    from zoneinfo import ZoneInfo

    (event,) = events(tmp_path, f"{header}\n{row}\n", zone=ZoneInfo("America/New_York"), currency="USD")

    assert recognise(header.split(","), {}).layout == layout
    assert event["data"]["customer"] == customer
    assert (event["data"]["order_id"], event["data"]["currency"]) == ("77", "USD")
    assert float(event["data"]["total"]) == 49.2
    assert event["time"].startswith("2024-03-04T")
    assert not isinstance(check(event, ManualClock()()), list)


def test_columns_can_be_named(tmp_path: Path) -> None:
    columns = {"Beleg": "order_id", "Wann": "time", "Summe": "total", "Kunde": "customer_id"}

    (event,) = events(
        tmp_path, "Beleg;Wann;Summe;Kunde\n7;2024-03-04T10:00:00Z;5.00;k\n", columns=columns, currency="EUR"
    )

    assert event["data"] == {"customer": {"id": "k"}, "order_id": "7", "currency": "EUR", "total": "5.00"}


def test_amounts_by_line_are_summed_where_no_column_holds_the_total(tmp_path: Path) -> None:
    (event,) = events(
        tmp_path,
        "basket_id,date,household_id,product_id,quantity,sales_value\n"
        "9,2024-03-04T10:00:00Z,h,A,2,3.00\n"
        "9,2024-03-04T10:00:00Z,h,B,1,0.10\n",
        currency="USD",
    )

    assert event["data"]["total"] == "3.10"
    assert event["data"]["lines"] == [
        {"sku": "A", "quantity": 2, "unit_price": "1.5"},
        {"sku": "B", "quantity": 1, "unit_price": "0.1"},
    ]


@pytest.mark.parametrize(
    ("header", "chosen", "why"),
    [
        (["a", "b"], {}, "No column holds order_id"),
        (["order_id", "date", "email"], {}, r"total \(what was paid.*--map COLUMN=total"),
        (["order_id", "date", "total"], {}, "customer_id"),
        (["order_id", "date", "total", "email"], {"total": "totl"}, "no field 'totl'. Did you mean total"),
        (["order_id", "date", "total", "email"], {"Sum": "total"}, "no column 'Sum'"),
    ],
)
def test_a_file_that_cannot_be_understood_says_what_is_missing(
    header: list[str], chosen: dict[str, str], why: str
) -> None:
    with pytest.raises(LocalError, match=why):
        recognise(header, chosen)


@pytest.mark.parametrize(
    ("rows", "line", "column", "reason"),
    [
        ("1,2024-03-04T10:00:00Z,1.00\n", 2, "", "3 values where the header names 5 columns"),
        ("1,2024-03-04T10:00:00Z,x,c,USD\n", 2, "amount", "'x' is no amount"),
        ("1,04/03/2024,1.00,c,USD\n", 2, "date", "no moment that is sure to be read right"),
        ("1,2024-03-04 10:00,1.00,c,USD\n", 2, "date", "has no offset from UTC"),
        ("1,2024-03-04T10:00:00Z,1.00,c,\n", 2, "currency", "no currency"),
        (",2024-03-04T10:00:00Z,1.00,c,USD\n", 2, "order_id", "no id"),
        ("1,2024-03-04T10:00:00Z,,c,USD\n", 2, "amount", "'' is no amount"),
        (
            "1,2024-03-04T10:00:00Z,1.00,c,USD\n1,2024-03-04T10:00:00Z,2.00,c,USD\n",
            2,
            "amount",
            "disagree about its total",
        ),
        (
            (
                "1,2024-03-04T10:00:00Z,1.00,c,USD\n\n2,2024-03-04T10:00:00Z,1.00,c,USD\n"
                "1,2024-03-04T10:00:00Z,1.00,c,USD\n"
            ),
            5,
            "order_id",
            "came before, on line 2",
        ),
    ],
)
def test_a_fault_names_line_column_and_reason(
    tmp_path: Path, rows: str, line: int, column: str, reason: str
) -> None:
    (refusal,) = [piece.refusal for piece in pieces(tmp_path, PLAIN + rows) if piece.refusal]

    assert (refusal.line, refusal.column) == (line, column)
    assert reason in refusal.reason
    assert refusal.remedy


def test_an_unknown_status_is_refused_until_somebody_says_what_it_means(tmp_path: Path) -> None:
    content = "order_id,date,amount,email,currency,status\n1,2024-03-04T10:00:00Z,1.00,a@b.cd,USD,Bezahlt\n"

    (refused,) = pieces(tmp_path, content)
    (taken,) = pieces(tmp_path, content, statuses={"bezahlt": "paid"})
    (passed_over,) = pieces(tmp_path, content, statuses={"bezahlt": "unpaid"})

    assert refused.refusal is not None
    assert "--paid" in refused.refusal.remedy
    assert len(taken.events) == 1
    assert passed_over.skipped == "not paid"


def test_what_cannot_be_used_of_an_order_does_not_stop_it(tmp_path: Path) -> None:
    (piece,) = pieces(
        tmp_path,
        "order_id,date,amount,email,phone,currency,sku,quantity,price\n"
        "1,2024-03-04T10:00:00Z,1.00,a@b.cd,n/a,USD,A,0.5,2.00\n",
    )

    assert piece.events[0]["data"] == {
        "customer": {"email": "a@b.cd"},
        "order_id": "1",
        "currency": "USD",
        "total": "1.00",
    }
    assert len(piece.notes) == 2
