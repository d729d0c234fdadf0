"""The currencies of ISO 4217 that shops take money in, and how many decimals an amount in each has."""

from decimal import Decimal

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR
KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN
PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""

DECIMALS: dict[str, int] = (
    dict.fromkeys(_TWO.split(), 2) | dict.fromkeys(_NONE.split(), 0) | dict.fromkeys(_THREE.split(), 3)
)
"""Currency code to the decimals of its amounts (ISO 4217, active codes; funds and metals left out)."""


def fits(amount: Decimal, currency: str) -> bool:
    """Whether the amount can be paid in that currency: USD 0.005 cannot. Unknown currencies refuse nothing."""
    return currency not in DECIMALS or amount == round(amount, DECIMALS[currency])


def smallest(currency: str) -> Decimal:
    """The smallest amount that can be paid: 0.01 for USD, 1 for JPY."""
    return Decimal(1).scaleb(-DECIMALS[currency])
