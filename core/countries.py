"""
The countries of ISO 3166-1 with their English and German names, and what else they are called.

Kosovo (XK) is added: its code is not ISO's, but is what phone numbers and address files use.
"""

from typing import NamedTuple

from django.utils.translation import get_language

# Code, alpha-3 code, English name, and the German one after "|" where it is another.
_TABLE = """
AD AND Andorra
AE ARE United Arab Emirates | Vereinigte Arabische Emirate
AF AFG Afghanistan
AG ATG Antigua and Barbuda | Antigua und Barbuda
AI AIA Anguilla
AL ALB Albania | Albanien
AM ARM Armenia | Armenien
AO AGO Angola
AQ ATA Antarctica | Antarktis
AR ARG Argentina | Argentinien
AS ASM American Samoa | Amerikanisch-Samoa
AT AUT Austria | Österreich
AU AUS Australia | Australien
AW ABW Aruba
AX ALA Åland Islands | Ålandinseln
AZ AZE Azerbaijan | Aserbaidschan
BA BIH Bosnia and Herzegovina | Bosnien und Herzegowina
BB BRB Barbados
BD BGD Bangladesh | Bangladesch
BE BEL Belgium | Belgien
BF BFA Burkina Faso
BG BGR Bulgaria | Bulgarien
BH BHR Bahrain
BI BDI Burundi
BJ BEN Benin
BL BLM St. Barthélemy
BM BMU Bermuda
BN BRN Brunei | Brunei Darussalam
BO BOL Bolivia | Bolivien
BQ BES Caribbean Netherlands | Karibische Niederlande
BR BRA Brazil | Brasilien
BS BHS Bahamas
BT BTN Bhutan
BV BVT Bouvet Island | Bouvetinsel
BW BWA Botswana | Botsuana
BY BLR Belarus
BZ BLZ Belize
CA CAN Canada | Kanada
CC CCK Cocos (Keeling) Islands | Kokosinseln
CD COD Congo (Kinshasa) | Kongo (Kinshasa)
CF CAF Central African Republic | Zentralafrikanische Republik
CG COG Congo (Brazzaville) | Kongo (Brazzaville)
CH CHE Switzerland | Schweiz
CI CIV Côte d'Ivoire
CK COK Cook Islands | Cookinseln
CL CHL Chile
CM CMR Cameroon | Kamerun
CN CHN China
CO COL Colombia | Kolumbien
CR CRI Costa Rica
CU CUB Cuba | Kuba
CV CPV Cape Verde | Cabo Verde
CW CUW Curaçao
CX CXR Christmas Island | Weihnachtsinsel
CY CYP Cyprus | Zypern
CZ CZE Czechia | Tschechien
DE DEU Germany | Deutschland
DJ DJI Djibouti | Dschibuti
DK DNK Denmark | Dänemark
DM DMA Dominica
DO DOM Dominican Republic | Dominikanische Republik
DZ DZA Algeria | Algerien
EC ECU Ecuador
EE EST Estonia | Estland
EG EGY Egypt | Ägypten
EH ESH Western Sahara | Westsahara
ER ERI Eritrea
ES ESP Spain | Spanien
ET ETH Ethiopia | Äthiopien
FI FIN Finland | Finnland
FJ FJI Fiji | Fidschi
FK FLK Falkland Islands | Falklandinseln
FM FSM Micronesia | Mikronesien
FO FRO Faroe Islands | Färöer
FR FRA France | Frankreich
GA GAB Gabon | Gabun
GB GBR United Kingdom | Vereinigtes Königreich
GD GRD Grenada
GE GEO Georgia | Georgien
GF GUF French Guiana | Französisch-Guayana
GG GGY Guernsey
GH GHA Ghana
GI GIB Gibraltar
GL GRL Greenland | Grönland
GM GMB Gambia
GN GIN Guinea
GP GLP Guadeloupe
GQ GNQ Equatorial Guinea | Äquatorialguinea
GR GRC Greece | Griechenland
GS SGS South Georgia and South Sandwich Islands | Südgeorgien und die Südlichen Sandwichinseln
GT GTM Guatemala
GU GUM Guam
GW GNB Guinea-Bissau
GY GUY Guyana
HK HKG Hong Kong | Hongkong
HM HMD Heard and McDonald Islands | Heard und McDonaldinseln
HN HND Honduras
HR HRV Croatia | Kroatien
HT HTI Haiti
HU HUN Hungary | Ungarn
ID IDN Indonesia | Indonesien
IE IRL Ireland | Irland
IL ISR Israel
IM IMN Isle of Man
IN IND India | Indien
IO IOT British Indian Ocean Territory | Britisches Territorium im Indischen Ozean
IQ IRQ Iraq | Irak
IR IRN Iran
IS ISL Iceland | Island
IT ITA Italy | Italien
JE JEY Jersey
JM JAM Jamaica | Jamaika
JO JOR Jordan | Jordanien
JP JPN Japan
KE KEN Kenya | Kenia
KG KGZ Kyrgyzstan | Kirgisistan
KH KHM Cambodia | Kambodscha
KI KIR Kiribati
KM COM Comoros | Komoren
KN KNA St. Kitts and Nevis | St. Kitts und Nevis
KP PRK North Korea | Nordkorea
KR KOR South Korea | Südkorea
KW KWT Kuwait
KY CYM Cayman Islands | Kaimaninseln
KZ KAZ Kazakhstan | Kasachstan
LA LAO Laos
LB LBN Lebanon | Libanon
LC LCA St. Lucia
LI LIE Liechtenstein
LK LKA Sri Lanka
LR LBR Liberia
LS LSO Lesotho
LT LTU Lithuania | Litauen
LU LUX Luxembourg | Luxemburg
LV LVA Latvia | Lettland
LY LBY Libya | Libyen
MA MAR Morocco | Marokko
MC MCO Monaco
MD MDA Moldova | Republik Moldau
ME MNE Montenegro
MF MAF St. Martin
MG MDG Madagascar | Madagaskar
MH MHL Marshall Islands | Marshallinseln
MK MKD North Macedonia | Nordmazedonien
ML MLI Mali
MM MMR Myanmar
MN MNG Mongolia | Mongolei
MO MAC Macao | Macau
MP MNP Northern Mariana Islands | Nördliche Marianen
MQ MTQ Martinique
MR MRT Mauritania | Mauretanien
MS MSR Montserrat
MT MLT Malta
MU MUS Mauritius
MV MDV Maldives | Malediven
MW MWI Malawi
MX MEX Mexico | Mexiko
MY MYS Malaysia
MZ MOZ Mozambique | Mosambik
NA NAM Namibia
NC NCL New Caledonia | Neukaledonien
NE NER Niger
NF NFK Norfolk Island | Norfolkinsel
NG NGA Nigeria
NI NIC Nicaragua
NL NLD Netherlands | Niederlande
NO NOR Norway | Norwegen
NP NPL Nepal
NR NRU Nauru
NU NIU Niue
NZ NZL New Zealand | Neuseeland
OM OMN Oman
PA PAN Panama
PE PER Peru
PF PYF French Polynesia | Französisch-Polynesien
PG PNG Papua New Guinea | Papua-Neuguinea
PH PHL Philippines | Philippinen
PK PAK Pakistan
PL POL Poland | Polen
PM SPM St. Pierre and Miquelon | St. Pierre und Miquelon
PN PCN Pitcairn Islands | Pitcairninseln
PR PRI Puerto Rico
PS PSE Palestine | Palästina
PT PRT Portugal
PW PLW Palau
PY PRY Paraguay
QA QAT Qatar | Katar
RE REU Réunion
RO ROU Romania | Rumänien
RS SRB Serbia | Serbien
RU RUS Russia | Russland
RW RWA Rwanda | Ruanda
SA SAU Saudi Arabia | Saudi-Arabien
SB SLB Solomon Islands | Salomonen
SC SYC Seychelles | Seychellen
SD SDN Sudan
SE SWE Sweden | Schweden
SG SGP Singapore | Singapur
SH SHN St. Helena
SI SVN Slovenia | Slowenien
SJ SJM Svalbard and Jan Mayen | Spitzbergen und Jan Mayen
SK SVK Slovakia | Slowakei
SL SLE Sierra Leone
SM SMR San Marino
SN SEN Senegal
SO SOM Somalia
SR SUR Suriname
SS SSD South Sudan | Südsudan
ST STP São Tomé and Príncipe | São Tomé und Príncipe
SV SLV El Salvador
SX SXM Sint Maarten
SY SYR Syria | Syrien
SZ SWZ Eswatini
TC TCA Turks and Caicos Islands | Turks- und Caicosinseln
TD TCD Chad | Tschad
TF ATF French Southern Territories | Französische Süd- und Antarktisgebiete
TG TGO Togo
TH THA Thailand
TJ TJK Tajikistan | Tadschikistan
TK TKL Tokelau
TL TLS Timor-Leste
TM TKM Turkmenistan
TN TUN Tunisia | Tunesien
TO TON Tonga
TR TUR Türkiye | Türkei
TT TTO Trinidad and Tobago | Trinidad und Tobago
TV TUV Tuvalu
TW TWN Taiwan
TZ TZA Tanzania | Tansania
UA UKR Ukraine
UG UGA Uganda
UM UMI U.S. Outlying Islands | Amerikanische Überseeinseln
US USA United States | Vereinigte Staaten
UY URY Uruguay
UZ UZB Uzbekistan | Usbekistan
VA VAT Vatican City | Vatikanstadt
VC VCT St. Vincent and Grenadines | St. Vincent und die Grenadinen
VE VEN Venezuela
VG VGB British Virgin Islands | Britische Jungferninseln
VI VIR U.S. Virgin Islands | Amerikanische Jungferninseln
VN VNM Vietnam
VU VUT Vanuatu
WF WLF Wallis and Futuna | Wallis und Futuna
WS WSM Samoa
XK XKX Kosovo
YE YEM Yemen | Jemen
YT MYT Mayotte
ZA ZAF South Africa | Südafrika
ZM ZMB Zambia | Sambia
ZW ZWE Zimbabwe | Simbabwe
"""

# Former, official and local names; parts of a country that people write for the whole.
_ALIASES = """
AE UAE; Emirates; Emirate; VAE; Dubai; Abu Dhabi
AL Shqipëria
AR Argentine Republic
AT Autriche; Oostenrijk; Republic of Austria
AU Commonwealth of Australia
AX Aland
BA Bosnia; Bosnien; Bosnia-Herzegovina; BiH
BE Belgique; België; Bélgica; Belgio
BG Balgariya; България
BL Saint Barthélemy
BO Bolivia, Plurinational State of; Plurinational State of Bolivia
BQ Bonaire, Sint Eustatius and Saba
BR Brasil; Brésil
BS The Bahamas
BY Byelorussia; Weißrussland
CC Cocos Islands; Keeling Islands
CD DRC; DR Congo; Congo, Democratic Republic of the; Democratic Republic of the Congo; Congo,
   The Democratic Republic of the; Demokratische Republik Kongo; DR Kongo; Zaire
CG Congo; Republic of the Congo; Congo, Republic of the; Kongo; Republik Kongo
CH Suisse; Svizzera; Svizra; Suiza; Zwitserland; Swiss Confederation; Helvetia
CI Ivory Coast; Elfenbeinküste
CN PRC; P.R. China; People's Republic of China; Mainland China; Volksrepublik China; VR China;
   中国; 中國
CV Kap Verde
CZ Czech Republic; Tschechische Republik; Tschechei; Česko; Česká republika; CZE Republic
DE Federal Republic of Germany; Bundesrepublik Deutschland; BRD; Allemagne; Alemania; Germania;
   Duitsland; Tyskland; Niemcy; Alemanha
DK Danmark
EE Eesti
EG Arab Republic of Egypt; Égypte
ES España; Espagne; Spagna; Kingdom of Spain; Spanje; Espanha
FI Suomi; Finlande
FK Falkland Islands (Malvinas); Malvinas
FM Micronesia, Federated States of; Federated States of Micronesia
FR Francia; Frankrijk; French Republic; República Francesa; França
GB UK; Great Britain; Britain; England; Scotland; Wales; Northern Ireland; United Kingdom of
   Great Britain and Northern Ireland; Großbritannien; Schottland; Nordirland; Royaume-Uni;
   Reino Unido; Regno Unito; Verenigd Koninkrijk
GE Republic of Georgia
GM The Gambia
GR Hellas; Hellenic Republic; Ελλάδα; EL
GS South Georgia and the South Sandwich Islands
HK Hong Kong SAR; Hong Kong SAR China; Hong Kong, China; 香港
HM Heard Island and McDonald Islands
HR Hrvatska
HU Magyarország; Hongrie
IE Republic of Ireland; Éire; Republik Irland
IL State of Israel
IN Bharat; Republic of India; Inde
IR Iran, Islamic Republic of; Islamic Republic of Iran; Persia
IT Italia; Italie
JP Nippon; Nihon; 日本; Japon
KG Kirgistan; Kirgisien
KH Kampuchea
KN Saint Kitts and Nevis
KP Korea, North; Democratic People's Republic of Korea; Korea, Democratic People's Republic of;
   DPRK
KR Korea; Korea, South; Republic of Korea; Korea, Republic of; Republik Korea; 한국; 대한민국
KZ Kazakstan
LA Lao PDR; Lao People's Democratic Republic
LC Saint Lucia
LT Lietuva
LU Grand Duchy of Luxembourg; Lëtzebuerg
LV Latvija
LY Libyan Arab Jamahiriya
MD Moldova, Republic of; Republic of Moldova; Moldau
MF Saint Martin; Saint Martin (French part)
MK Macedonia; FYROM; Mazedonien; Republic of North Macedonia
MM Burma; Birma; Myanmar (Burma)
MO Macao SAR; Macao SAR China; Sonderverwaltungsregion Macau
MU Ile Maurice
MX Mexique
MY Malaysien
NG Federal Republic of Nigeria
NL Holland; Nederland; The Netherlands; Kingdom of the Netherlands; Pays-Bas; Países Bajos;
   Paesi Bassi; Hollande; Holanda
NO Norge; Noreg; Norvège
NZ Aotearoa
PH The Philippines; Pilipinas
PL Polska; Pologne; Polonia
PM Saint Pierre and Miquelon
PN Pitcairn
PS Palestine, State of; State of Palestine; Palestinian Territories; Palestinian Territory;
   Palästinensische Autonomiegebiete
PT Portuguese Republic
RE La Réunion
RS Srbija
RU Russian Federation; Russische Föderation; Россия
SA KSA; Kingdom of Saudi Arabia
SE Sverige; Suède; Suecia
SG Republic of Singapore
SH Saint Helena; Saint Helena, Ascension and Tristan da Cunha
SI Slovenija
SK Slovak Republic; Slovensko; Slowakische Republik
ST Sao Tome
SX Sint Maarten (Dutch part)
SY Syrian Arab Republic
SZ Swaziland; Swasiland
TL East Timor; Osttimor
TR Turkey; Republic of Türkiye; Turquie
TW Taiwan, Province of China; Republic of China; Chinese Taipei; 台灣; 臺灣
TZ Tanzania, United Republic of; United Republic of Tanzania
UA Ukraina; Україна
UM United States Minor Outlying Islands
US U.S.A.; America; United States of America; US of A; USA (United States); Amerika; Vereinigte
   Staaten von Amerika; États-Unis; Etats-Unis d'Amérique; Estados Unidos; Stati Uniti
VA Vatican; Holy See; Holy See (Vatican City State); Vatikan; Heiliger Stuhl
VC Saint Vincent and the Grenadines; Saint Vincent
VE Venezuela, Bolivarian Republic of; Bolivarian Republic of Venezuela
VG Virgin Islands, British
VI Virgin Islands, U.S.
VN Socialist Republic of Vietnam
XK Republic of Kosovo; Kosova
ZA RSA; Republic of South Africa
"""


class Country(NamedTuple):
    """A country's codes and its names in the languages of the product."""

    code: str
    alpha3: str
    english: str
    german: str


def _countries():
    for line in _TABLE.strip().splitlines():
        code, alpha3, names = line.split(" ", 2)
        english, _bar, german = names.partition(" | ")
        yield code, Country(code, alpha3, english, german or english)


def _aliases():
    for line in _ALIASES.strip().replace("\n   ", " ").splitlines():
        code, names = line.split(" ", 1)
        for alias in names.split("; "):
            yield alias, code


COUNTRIES = dict(_countries())
"""Country by alpha-2 code."""

ALIASES = dict(_aliases())
"""Alpha-2 code by further name."""


def country_name(code, language=None):
    """The name of the country in ``language``, by default the active one; "" for no country."""
    country = COUNTRIES.get(code)
    if country is None:
        return code
    language = language or get_language() or "en"
    return country.german if language.startswith("de") else country.english


def country_choices():
    """Pairs of code and name for a select, in the order of the names in the active language."""
    pairs = [(code, country_name(code)) for code in COUNTRIES]
    return sorted(pairs, key=lambda pair: _sort_key(pair[1]))


def _sort_key(name):
    return name.casefold().translate(_PLAIN)


_PLAIN = str.maketrans("åäáàâãéèêëíìîïóòôõöúùûüçñø", "aaaaaaeeeeiiiiooooouuuucno")
