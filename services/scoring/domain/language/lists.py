"""Words that stand for each other in rules."""

_LISTS = {
    "love": "love loved loving adore adored loves adores",
    "brand": """brand company shop store business label team website retailer bookshop bakery roaster hotel airline
        restaurant provider bank place app marketplace boutique manufacturer studio chain hotel_chain""",
    "obsessed": "obsessed in_love thrilled",
    "recommend": "recommend recommended recommending",
    "number": "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty many several",
    "fix": """fix fixes solve solves resolve resolves sort_out sort_it_out sorts_out sort_things_out help_me_out
        help_us_out put_it_right make_it_right""",
    "fixed": "fixed solved resolved sorted sorted_out settled replaced refunded repaired taken_care_of",
    "wish": "wish wished would_love would_like would_be_great would_be_nice hope would_prefer want",
    "delivery": "delivery deliveries shipping shipment shipments dispatch courier couriers",
    "ship": "ship shipped shipping deliver delivered parcels deliveries orders",
    "parcel": "parcel parcels package packages shipment delivery box",
    "goods": """order orders parcel parcels package packages shipment delivery deliveries groceries item items goods
        book books shoes dress food pizza cake luggage lenses sofa box plants medicine replacement flowers gift present
        courier driver""",
    "faster": "faster quicker quick fast sooner speedier earlier better speed_up more_quickly on_time",
    "slow": """slow slower slowest late later delayed unreliable terrible awful horrible bad worst disappointing painful
        painfully_slow a_joke ages forever nightmare lousy poor""",
    "staff": """support customer_support customer_service service customer_care staff hotline helpdesk help_desk agent
        agents representative waiter waitress receptionist usher clerk employee employees chatbot helpline technician
        support_team team adviser advisor cashier person_on_the_phone manager operator""",
}


def _pattern(words: str) -> str:
    """Longest first, so that no word hides one that goes on."""
    return "|".join(sorted(words.split(), key=lambda word: (-len(word), word)))


LISTS = {name: _pattern(words) for name, words in _LISTS.items()}
"""By name, the pattern of its words."""
