"""The currencies of ISO 4217 that people pay with: decimals, signs, English and German names."""

from typing import NamedTuple

from django.utils.translation import get_language

# Code, decimals, signs (the first is shown, all are understood) | English name | German name.
_TABLE = """
AED 2 AED Dhs | United Arab Emirates Dirham | VAE-Dirham
AFN 2 AFN | Afghan Afghani | Afghanischer Afghani
ALL 2 ALL | Albanian Lek | Albanischer Lek
AMD 2 AMD ֏ | Armenian Dram | Armenischer Dram
AOA 2 AOA | Angolan Kwanza | Angolanischer Kwanza
ARS 2 ARS $ | Argentine Peso | Argentinischer Peso
AUD 2 A$ AU$ $ | Australian Dollar | Australischer Dollar
AWG 2 AWG | Aruban Florin | Aruba-Florin
AZN 2 AZN ₼ | Azerbaijani Manat | Aserbaidschan-Manat
BAM 2 BAM | Bosnia-Herzegovina Convertible Mark | Konvertible Mark Bosnien und Herzegowina
BBD 2 BBD | Barbadian Dollar | Barbados-Dollar
BDT 2 BDT ৳ | Bangladeshi Taka | Bangladesch-Taka
BHD 3 BHD | Bahraini Dinar | Bahrain-Dinar
BIF 0 BIF | Burundian Franc | Burundi-Franc
BMD 2 BMD | Bermudan Dollar | Bermuda-Dollar
BND 2 BND | Brunei Dollar | Brunei-Dollar
BOB 2 BOB | Bolivian Boliviano | Bolivianischer Boliviano
BRL 2 R$ | Brazilian Real | Brasilianischer Real
BSD 2 BSD | Bahamian Dollar | Bahamas-Dollar
BTN 2 BTN | Bhutanese Ngultrum | Bhutan-Ngultrum
BWP 2 BWP | Botswanan Pula | Botswanischer Pula
BYN 2 BYN | Belarusian Rouble | Weißrussischer Rubel
BZD 2 BZD | Belize Dollar | Belize-Dollar
CAD 2 CA$ C$ $ | Canadian Dollar | Kanadischer Dollar
CDF 2 CDF | Congolese Franc | Kongo-Franc
CHF 2 CHF Fr. SFr. Fr | Swiss Franc | Schweizer Franken
CLP 0 CLP $ | Chilean Peso | Chilenischer Peso
CNY 2 CN¥ ¥ RMB 元 | Chinese Yuan | Renminbi Yuan
COP 2 COP $ | Colombian Peso | Kolumbianischer Peso
CRC 2 CRC ₡ | Costa Rican Colón | Costa-Rica-Colón
CUP 2 CUP | Cuban Peso | Kubanischer Peso
CVE 2 CVE | Cape Verdean Escudo | Cabo-Verde-Escudo
CZK 2 CZK Kč | Czech Koruna | Tschechische Krone
DJF 0 DJF | Djiboutian Franc | Dschibuti-Franc
DKK 2 DKK kr. kr | Danish Krone | Dänische Krone
DOP 2 DOP | Dominican Peso | Dominikanischer Peso
DZD 2 DZD | Algerian Dinar | Algerischer Dinar
EGP 2 EGP £ | Egyptian Pound | Ägyptisches Pfund
ERN 2 ERN | Eritrean Nakfa | Eritreischer Nakfa
ETB 2 ETB | Ethiopian Birr | Äthiopischer Birr
EUR 2 € | Euro | Euro
FJD 2 FJD | Fijian Dollar | Fidschi-Dollar
FKP 2 FKP | Falkland Islands Pound | Falkland-Pfund
GBP 2 £ | British Pound | Britisches Pfund
GEL 2 GEL ₾ | Georgian Lari | Georgischer Lari
GHS 2 GHS ₵ | Ghanaian Cedi | Ghanaischer Cedi
GIP 2 GIP | Gibraltar Pound | Gibraltar-Pfund
GMD 2 GMD | Gambian Dalasi | Gambia-Dalasi
GNF 0 GNF | Guinean Franc | Guinea-Franc
GTQ 2 GTQ | Guatemalan Quetzal | Guatemaltekischer Quetzal
GYD 2 GYD | Guyanaese Dollar | Guyana-Dollar
HKD 2 HK$ $ | Hong Kong Dollar | Hongkong-Dollar
HNL 2 HNL | Honduran Lempira | Honduras-Lempira
HTG 2 HTG | Haitian Gourde | Haitianische Gourde
HUF 2 HUF Ft | Hungarian Forint | Ungarischer Forint
IDR 2 IDR Rp | Indonesian Rupiah | Indonesische Rupiah
ILS 2 ₪ | Israeli New Shekel | Israelischer Neuer Schekel
INR 2 ₹ Rs. Rs | Indian Rupee | Indische Rupie
IQD 3 IQD | Iraqi Dinar | Irakischer Dinar
IRR 2 IRR | Iranian Rial | Iranischer Rial
ISK 0 ISK kr. kr | Icelandic Króna | Isländische Krone
JMD 2 JMD | Jamaican Dollar | Jamaika-Dollar
JOD 3 JOD | Jordanian Dinar | Jordanischer Dinar
JPY 0 ¥ 円 | Japanese Yen | Japanischer Yen
KES 2 KES KSh | Kenyan Shilling | Kenia-Schilling
KGS 2 KGS | Kyrgyzstani Som | Kirgisischer Som
KHR 2 KHR ៛ | Cambodian Riel | Kambodschanischer Riel
KMF 0 KMF | Comorian Franc | Komoren-Franc
KPW 2 KPW | North Korean Won | Nordkoreanischer Won
KRW 0 ₩ | South Korean Won | Südkoreanischer Won
KWD 3 KWD | Kuwaiti Dinar | Kuwait-Dinar
KYD 2 KYD | Cayman Islands Dollar | Kaiman-Dollar
KZT 2 KZT ₸ | Kazakhstani Tenge | Kasachischer Tenge
LAK 2 LAK ₭ | Laotian Kip | Laotischer Kip
LBP 2 LBP | Lebanese Pound | Libanesisches Pfund
LKR 2 LKR Rs. Rs | Sri Lankan Rupee | Sri-Lanka-Rupie
LRD 2 LRD | Liberian Dollar | Liberianischer Dollar
LSL 2 LSL | Lesotho Loti | Loti
LYD 3 LYD | Libyan Dinar | Libyscher Dinar
MAD 2 MAD | Moroccan Dirham | Marokkanischer Dirham
MDL 2 MDL | Moldovan Leu | Moldau-Leu
MGA 2 MGA | Malagasy Ariary | Madagaskar-Ariary
MKD 2 MKD | Macedonian Denar | Mazedonischer Denar
MMK 2 MMK | Myanmar Kyat | Myanmarischer Kyat
MNT 2 MNT ₮ | Mongolian Tugrik | Mongolischer Tögrög
MOP 2 MOP | Macanese Pataca | Macao-Pataca
MRU 2 MRU | Mauritanian Ouguiya | Mauretanischer Ouguiya
MUR 2 MUR | Mauritian Rupee | Mauritius-Rupie
MVR 2 MVR | Maldivian Rufiyaa | Malediven-Rufiyaa
MWK 2 MWK | Malawian Kwacha | Malawi-Kwacha
MXN 2 MX$ $ | Mexican Peso | Mexikanischer Peso
MYR 2 MYR RM | Malaysian Ringgit | Malaysischer Ringgit
MZN 2 MZN | Mozambican Metical | Mosambikanischer Metical
NAD 2 NAD | Namibian Dollar | Namibia-Dollar
NGN 2 NGN ₦ | Nigerian Naira | Nigerianischer Naira
NIO 2 NIO | Nicaraguan Córdoba | Nicaragua-Córdoba
NOK 2 NOK kr. kr | Norwegian Krone | Norwegische Krone
NPR 2 NPR | Nepalese Rupee | Nepalesische Rupie
NZD 2 NZ$ $ | New Zealand Dollar | Neuseeland-Dollar
OMR 3 OMR | Omani Rial | Omanischer Rial
PAB 2 PAB | Panamanian Balboa | Panamaischer Balboa
PEN 2 PEN S/ | Peruvian Sol | Peruanischer Sol
PGK 2 PGK | Papua New Guinean Kina | Papua-neuguineischer Kina
PHP 2 ₱ | Philippine Peso | Philippinischer Peso
PKR 2 PKR Rs. Rs | Pakistani Rupee | Pakistanische Rupie
PLN 2 PLN zł | Polish Zloty | Polnischer Złoty
PYG 0 PYG ₲ | Paraguayan Guarani | Paraguayischer Guaraní
QAR 2 QAR | Qatari Riyal | Katar-Riyal
RON 2 RON lei | Romanian Leu | Rumänischer Leu
RSD 2 RSD | Serbian Dinar | Serbischer Dinar
RUB 2 RUB ₽ | Russian Rouble | Russischer Rubel
RWF 0 RWF | Rwandan Franc | Ruanda-Franc
SAR 2 SAR | Saudi Riyal | Saudi-Rial
SBD 2 SBD | Solomon Islands Dollar | Salomonen-Dollar
SCR 2 SCR | Seychellois Rupee | Seychellen-Rupie
SDG 2 SDG | Sudanese Pound | Sudanesisches Pfund
SEK 2 SEK kr. kr | Swedish Krona | Schwedische Krone
SGD 2 S$ $ | Singapore Dollar | Singapur-Dollar
SHP 2 SHP | St. Helena Pound | St.-Helena-Pfund
SLE 2 SLE | Sierra Leonean Leone | Sierra-leonischer Leone
SOS 2 SOS | Somali Shilling | Somalia-Schilling
SRD 2 SRD | Surinamese Dollar | Suriname-Dollar
SSP 2 SSP | South Sudanese Pound | Südsudanesisches Pfund
STN 2 STN | São Tomé and Príncipe Dobra | São-toméischer Dobra
SVC 2 SVC | Salvadoran Colón | El Salvador Colon
SYP 2 SYP | Syrian Pound | Syrisches Pfund
SZL 2 SZL | Swazi Lilangeni | Swasiländischer Lilangeni
THB 2 THB ฿ | Thai Baht | Thailändischer Baht
TJS 2 TJS | Tajikistani Somoni | Tadschikistan-Somoni
TMT 2 TMT | Turkmenistani Manat | Turkmenistan-Manat
TND 3 TND | Tunisian Dinar | Tunesischer Dinar
TOP 2 TOP | Tongan Paʻanga | Tongaischer Paʻanga
TRY 2 TRY ₺ TL | Turkish Lira | Türkische Lira
TTD 2 TTD | Trinidad and Tobago Dollar | Trinidad-und-Tobago-Dollar
TWD 2 NT$ $ | New Taiwan Dollar | Neuer Taiwan-Dollar
TZS 2 TZS | Tanzanian Shilling | Tansania-Schilling
UAH 2 UAH ₴ | Ukrainian Hryvnia | Ukrainische Hrywnja
UGX 0 UGX | Ugandan Shilling | Uganda-Schilling
USD 2 $ US$ | US Dollar | US-Dollar
UYU 2 UYU | Uruguayan Peso | Uruguayischer Peso
UZS 2 UZS | Uzbekistani Som | Usbekistan-Sum
VED 2 VED | Digital Bolívar | Digitaler Bolívar
VES 2 VES | Venezuelan Bolívar | Venezolanischer Bolívar
VND 0 ₫ | Vietnamese Dong | Vietnamesischer Dong
VUV 0 VUV | Vanuatu Vatu | Vanuatu-Vatu
WST 2 WST | Samoan Tala | Samoanischer Tala
XAF 0 FCFA | Central African CFA Franc | CFA-Franc (BEAC)
XCD 2 EC$ $ | East Caribbean Dollar | Ostkaribischer Dollar
XCG 2 XCG | Caribbean Guilder | Karibischer Gulden
XOF 0 XOF | West African CFA Franc | CFA-Franc (BCEAO)
XPF 0 CFPF | CFP Franc | CFP-Franc
YER 2 YER | Yemeni Rial | Jemen-Rial
ZAR 2 ZAR R | South African Rand | Südafrikanischer Rand
ZMW 2 ZMW | Zambian Kwacha | Kwacha
ZWG 2 ZWG | Zimbabwe Gold | Simbabwe-Gold
"""


class Currency(NamedTuple):
    """A currency's code, its number of decimals, its signs and its names."""

    code: str
    decimals: int
    symbols: tuple
    english: str
    german: str

    @property
    def symbol(self):
        """The sign that amounts are shown with, the code if it has none of its own."""
        return self.symbols[0]


def _currencies():
    for line in _TABLE.strip().splitlines():
        head, english, german = line.split(" | ")
        code, decimals, *symbols = head.split(" ")
        symbols = tuple(dict.fromkeys([*symbols, code]))
        yield code, Currency(code, int(decimals), symbols, english, german)


CURRENCIES = dict(_currencies())
"""Currency by ISO code."""


def currency_name(code, language=None):
    """The name of the currency in ``language``, by default the active one."""
    currency = CURRENCIES.get(code)
    if currency is None:
        return code
    language = language or get_language() or "en"
    return currency.german if language.startswith("de") else currency.english


def currency_choices():
    """Pairs of code and "code, name" for a select, in the order of the codes."""
    return [(code, f"{code} {currency_name(code)}") for code in CURRENCIES]
