"""
What the sample records are made of: places, names, companies, words of the trade.

Web and e-mail addresses end in ``.example``, and phone numbers are of the ranges that are kept
free for fiction; a country without such a range gets none.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A country with its cities, the names of its people and what its companies end with."""

    country: str
    currency: str
    language: str
    time_zone: str
    cities: tuple  # (city, postal code, state)
    streets: tuple
    phone: str  # with four # for the last digits; blank if no range is free
    women: tuple
    men: tuple
    families: tuple
    legal_form: str


GB = Place(
    "GB", "GBP", "en", "Europe/London",
    (("London", "SE1 4TP", ""), ("Leeds", "LS1 5DL", ""), ("Bristol", "BS1 6QF", ""),
     ("Glasgow", "G2 4JR", "")),
    ("18 Tanyard Lane", "4 Priory Court", "71 Wharf Street", "9 Chandler's Row"),
    "+44 20 7946 0###",
    ("Harriet", "Imogen", "Priyanka", "Bethan", "Fiona", "Zainab", "Eleanor", "Rhiannon"),
    ("Callum", "Idris", "Gareth", "Oliver", "Hamish", "Tariq", "Edmund", "Joel"),
    ("Whitlock", "Okonjo", "Pemberton", "Rees", "Ashdown", "Mahmood", "Thackray", "Galbraith",
     "Lockyer", "Fairburn"),
    "Ltd",
)  # fmt: skip
US = Place(
    "US", "USD", "en", "America/Chicago",
    (("Columbus", "43215", "OH"), ("Tucson", "85701", "AZ"), ("Madison", "53703", "WI"),
     ("Raleigh", "27601", "NC")),
    ("2200 Alder Avenue", "515 Foundry Street", "87 Prairie Road", "1400 Commerce Drive"),
    "+1 614 555 01##",
    ("Denise", "Marisol", "Aaliyah", "Karen", "Thuy", "Joanna", "Brenda", "Leilani"),
    ("Marcus", "Dale", "Hector", "Wesley", "Aaron", "Minh", "Terrence", "Caleb"),
    ("Hollister", "Vasquez", "Nakamura", "Brandt", "Kowalczyk", "Dupree", "Whitaker", "Nguyen",
     "Ferris", "Castellano"),
    "Inc.",
)  # fmt: skip
DE = Place(
    "DE", "EUR", "de", "Europe/Berlin",
    (("Berlin", "10969", ""), ("Hamburg", "20457", ""), ("Nürnberg", "90402", ""),
     ("Köln", "50667", "")),
    ("Gerberstraße 12", "Am Speicher 4", "Lindenallee 88", "Hafenweg 27"),
    "+49 30 23125 ###",
    ("Annika", "Sabine", "Jördis", "Katharina", "Meike", "Ayşe", "Ulrike", "Franziska"),
    ("Jürgen", "Matthias", "Cem", "Holger", "Björn", "Stefan", "Tobias", "Ralf"),
    ("Hoffstätter", "Brückner", "Yıldırım", "Kessler", "Grünwald", "Petersen", "Lorenz",
     "Schäfer", "Weidner", "Thiel"),
    "GmbH",
)  # fmt: skip
FR = Place(
    "FR", "EUR", "fr", "Europe/Paris",
    (("Lyon", "69002", ""), ("Nantes", "44000", ""), ("Lille", "59000", ""),
     ("Montpellier", "34000", "")),
    ("14 rue des Tanneurs", "3 quai de la Fosse", "52 avenue Jean Moulin", "8 place du Marché"),
    "+33 1 99 00 ## ##",
    ("Élodie", "Aurélie", "Nadège", "Camille", "Fatoumata", "Margaux", "Hélène", "Soraya"),
    ("Benoît", "Jérôme", "Mathieu", "Karim", "Étienne", "Loïc", "François", "Mamadou"),
    ("Lefrançois", "Benali", "Marchand", "Guérin", "Diallo", "Roussel", "Chevallier", "Morvan",
     "Perrin", "Aubert"),
    "SAS",
)  # fmt: skip
SE = Place(
    "SE", "SEK", "sv", "Europe/Stockholm",
    (("Göteborg", "411 05", ""), ("Malmö", "211 19", ""), ("Uppsala", "753 20", ""),
     ("Umeå", "903 26", "")),
    ("Kvarngatan 7", "Södra Hamnvägen 31", "Åsögränd 5", "Järnvägsgatan 16"),
    "+46 8 465 004 ##",
    ("Åsa", "Linnea", "Maja", "Ebba", "Kerstin", "Samira", "Elin", "Frida"),
    ("Örjan", "Henrik", "Nils", "Viktor", "Gustaf", "Amir", "Mattias", "Jonas"),
    ("Lindqvist", "Åkesson", "Bergström", "Sjögren", "Hedlund", "Öberg", "Nyman", "Wallin",
     "Ekdahl", "Sundin"),
    "AB",
)  # fmt: skip
ES = Place(
    "ES", "EUR", "es", "Europe/Madrid",
    (("Zaragoza", "50003", ""), ("Valencia", "46001", ""), ("Bilbao", "48008", ""),
     ("Málaga", "29015", "")),
    ("Calle del Molino 23", "Avenida de la Estación 6", "Plaza Nueva 11", "Calle Herrería 40"),
    "",
    ("Inés", "Lucía", "Begoña", "Rocío", "Nuria", "Amparo", "Marta", "Ainhoa"),
    ("Íñigo", "Álvaro", "Joaquín", "Sergio", "Andrés", "Xabier", "Rubén", "Gonzalo"),
    ("Echeverría", "Núñez", "Ibáñez", "Solano", "Carrasco", "Puig", "Otero", "Zabala",
     "Herrero", "Quintana"),
    "S.L.",
)  # fmt: skip
IT = Place(
    "IT", "EUR", "it", "Europe/Rome",
    (("Bologna", "40121", "BO"), ("Torino", "10121", "TO"), ("Verona", "37121", "VR"),
     ("Bari", "70121", "BA")),
    ("Via dei Mulini 9", "Corso Vittoria 118", "Via del Porto 3", "Viale Stazione 25"),
    "",
    ("Giulia", "Chiara", "Federica", "Paola", "Ilaria", "Noemi", "Silvia", "Elisa"),
    ("Lorenzo", "Davide", "Niccolò", "Fabio", "Alessio", "Riccardo", "Emanuele", "Pietro"),
    ("Bianchetti", "Caruso", "Morandi", "Sartori", "De Angelis", "Rinaldi", "Fabbri", "Lombardo",
     "Zanetti", "Gallo"),
    "S.r.l.",
)  # fmt: skip
NL = Place(
    "NL", "EUR", "nl", "Europe/Amsterdam",
    (("Utrecht", "3511 LN", ""), ("Rotterdam", "3011 AA", ""), ("Groningen", "9711 PA", ""),
     ("Eindhoven", "5611 EM", "")),
    ("Molenkade 14", "Nieuwe Haven 77", "Stationsweg 2", "Turfmarkt 35"),
    "",
    ("Marijke", "Sanne", "Fleur", "Noor", "Anouk", "Ilse", "Femke", "Yasmina"),
    ("Joost", "Sander", "Ruben", "Thijs", "Willem", "Bilal", "Maarten", "Koen"),
    ("van der Heijden", "Bakker", "de Wit", "Hoekstra", "El Amrani", "Verbeek", "Dijkstra",
     "Smeets", "Mulder", "Kuipers"),
    "B.V.",
)  # fmt: skip
PL = Place(
    "PL", "PLN", "pl", "Europe/Warsaw",
    (("Poznań", "61-772", ""), ("Gdańsk", "80-831", ""), ("Wrocław", "50-101", ""),
     ("Łódź", "90-001", "")),
    ("ul. Młyńska 8", "ul. Portowa 21", "al. Kolejowa 103", "ul. Garbary 6"),
    "",
    ("Agnieszka", "Małgorzata", "Zofia", "Kinga", "Ewa", "Justyna", "Beata", "Wioletta"),
    ("Łukasz", "Paweł", "Grzegorz", "Wojciech", "Marek", "Szymon", "Jacek", "Krzysztof"),
    ("Wiśniewska", "Zając", "Górecka", "Dąbrowski", "Szczepańska", "Malinowski", "Pietrzak",
     "Sikora", "Wrona", "Kaczmarek"),
    "Sp. z o.o.",
)  # fmt: skip
JP = Place(
    "JP", "JPY", "ja", "Asia/Tokyo",
    (("Osaka", "530-0001", ""), ("Nagoya", "450-0002", ""), ("Sendai", "980-0021", ""),
     ("Fukuoka", "812-0011", "")),
    ("3-12 Umeda", "1-8-4 Meieki", "2-5 Chuo", "4-21 Hakata Ekimae"),
    "",
    ("Yuki", "Haruka", "Naomi", "Aiko", "Misaki", "Kaori", "Rina", "Sayuri"),
    ("Kenji", "Takumi", "Hiroshi", "Daisuke", "Shota", "Ryo", "Makoto", "Satoru"),
    ("Hayashi", "Fujimoto", "Okabe", "Nishimura", "Sakurai", "Ueda", "Kitagawa", "Morita",
     "Aoki", "Shimizu"),
    "KK",
)  # fmt: skip
IN = Place(
    "IN", "INR", "en", "Asia/Kolkata",
    (("Pune", "411001", "Maharashtra"), ("Bengaluru", "560001", "Karnataka"),
     ("Chennai", "600002", "Tamil Nadu"), ("Jaipur", "302001", "Rajasthan")),
    ("14 Residency Road", "Plot 7, Industrial Estate", "22 Station Road", "5th Floor, Lake View"),
    "",
    ("Ananya", "Kavitha", "Meera", "Shreya", "Farida", "Divya", "Lakshmi", "Pooja"),
    ("Arjun", "Rohan", "Vikram", "Suresh", "Imran", "Karthik", "Naveen", "Devendra"),
    ("Iyer", "Deshmukh", "Menon", "Chatterjee", "Qureshi", "Rathore", "Naidu", "Kulkarni",
     "Bhatt", "Pillai"),
    "Pvt. Ltd.",
)  # fmt: skip
NG = Place(
    "NG", "NGN", "en", "Africa/Lagos",
    (("Lagos", "101233", "Lagos"), ("Ibadan", "200212", "Oyo"), ("Abuja", "900211", "FCT"),
     ("Enugu", "400211", "Enugu")),
    ("27 Marina Road", "6 Ring Road", "11 Garden Avenue", "42 Independence Layout"),
    "",
    ("Ngozi", "Funmilayo", "Amaka", "Halima", "Temitope", "Chidinma", "Yetunde", "Ifeoma"),
    ("Chukwuemeka", "Tunde", "Ibrahim", "Obinna", "Segun", "Musa", "Kelechi", "Adewale"),
    ("Adeyemi", "Okafor", "Bello", "Nwosu", "Olawale", "Danjuma", "Eze", "Ogunbanjo", "Uche",
     "Sanusi"),
    "Ltd",
)  # fmt: skip

PLACES = (GB, US, DE, FR, SE, ES, IT, NL, PL, JP, IN, NG)

# Name, industry, place, and below it what belongs to it.
GROUPS = (
    ("Aldermoor Group plc", "Hospitality", GB, (
        ("Aldermoor Hotels Ltd", "Hospitality", GB, (
            ("Aldermoor Hotels Scotland Ltd", "Hospitality", GB, ()),
            ("Aldermoor Hotels Nederland B.V.", "Hospitality", NL, ()),
            ("Aldermoor Hoteles S.L.", "Hospitality", ES, ()),
        )),
        ("Aldermoor Property Management Ltd", "Construction", GB, (
            ("Aldermoor Immobilien GmbH", "Construction", DE, ()),
            ("Aldermoor Gestion Immobilière SAS", "Construction", FR, ()),
        )),
        ("Aldermoor Leisure Ltd", "Recreation", GB, (
            ("Aldermoor Leisure Italia S.r.l.", "Recreation", IT, ()),
        )),
        ("Aldermoor Energy Services Ltd", "Utilities", GB, ()),
        ("Aldermoor Retail Parks Ltd", "Retail", GB, (
            ("Aldermoor Retail Polska Sp. z o.o.", "Retail", PL, ()),
        )),
    )),
    ("Kvarnbyn Livs AB", "Food & Beverage", SE, (
        ("Kvarnbyn Bageri AB", "Food & Beverage", SE, ()),
        ("Kvarnbyn Logistik AB", "Transportation", SE, (
            ("Kvarnbyn Kühllager GmbH", "Transportation", DE, ()),
        )),
    )),
    ("Casterline Health Network", "Healthcare", US, (
        ("Casterline Memorial Hospital", "Healthcare", US, ()),
        ("Casterline Children's Clinic", "Healthcare", US, ()),
        ("Casterline Research Institute", "Biotechnology", US, ()),
    )),
    ("Teshima Seimitsu KK", "Machinery", JP, (
        ("Teshima Europe B.V.", "Machinery", NL, (
            ("Teshima Deutschland GmbH", "Machinery", DE, ()),
        )),
    )),
)  # fmt: skip

SINGLES = (
    ("Brackwater Brewing Company", "Food & Beverage", GB),
    ("Ravensgill Council", "Government", GB),
    ("Penhallow University", "Education", GB),
    ("Tarnside Packaging Ltd", "Manufacturing", GB),
    ("Ochre Creek Schools District", "Education", US),
    ("Millbrae Cold Storage Inc.", "Transportation", US),
    ("Larkspur Data Centers Inc.", "Technology", US),
    ("Dunmore Paper Mills Inc.", "Manufacturing", US),
    ("Hollander Dental Supply Inc.", "Healthcare", US),
    ("Stadtwerke Erlbrunn", "Utilities", DE),
    ("Wohnbau Süderaue eG", "Construction", DE),
    ("Klinikum Falkenrode", "Healthcare", DE),
    ("Zellwerk Maschinenbau GmbH", "Machinery", DE),
    ("Brotmanufaktur Ohlsen KG", "Food & Beverage", DE),
    ("Laiteries de Val-Brun SAS", "Food & Beverage", FR),
    ("Résidences Clairmont SA", "Hospitality", FR),
    ("Imprimerie Vauquelin SAS", "Media", FR),
    ("Norrfjärden Energi AB", "Energy", SE),
    ("Hyresgården i Väst AB", "Construction", SE),
    ("Conservas Larrabe S.L.", "Food & Beverage", ES),
    ("Hospital San Telmo de Ebro", "Healthcare", ES),
    ("Cerámicas Alborán S.L.", "Manufacturing", ES),
    ("Ceramiche Valmora S.p.A.", "Manufacturing", IT),
    ("Terme di Montelupo S.r.l.", "Recreation", IT),
    ("Cantine Roverella S.r.l.", "Food & Beverage", IT),
    ("Waterschap Oosterveen", "Utilities", NL),
    ("Kassen van Rietveld B.V.", "Agriculture", NL),
    ("Bloemhof Logistiek B.V.", "Transportation", NL),
    ("Zakłady Mięsne Jaworzec Sp. z o.o.", "Food & Beverage", PL),
    ("Spółdzielnia Mieszkaniowa Lipowa", "Construction", PL),
    ("Amanohara Foods KK", "Food & Beverage", JP),
    ("Kitayama Onsen Hotels KK", "Hospitality", JP),
    ("Sahyadri Textiles Pvt. Ltd.", "Apparel", IN),
    ("Nilgiri Cold Chain Pvt. Ltd.", "Transportation", IN),
    ("Orchid Bay Hotels Pvt. Ltd.", "Hospitality", IN),
    ("Ekosun Estates Ltd", "Construction", NG),
    ("Savannah Bottling Ltd", "Food & Beverage", NG),
    ("Lagoon View Hospitals Ltd", "Healthcare", NG),
)
PRIVATE_BUYERS = ((GB, 0), (DE, 3))  # place and family, for accounts of private persons

# Companies of leads: a coined name, then a word of the trade.
STEMS = (
    "Velmora", "Tarnwick", "Osterhold", "Brisande", "Calverley", "Dornfeld", "Eskmere",
    "Fjellvik", "Grandoro", "Hartsmere", "Ilmenau", "Jorvana", "Kestwick", "Lindera", "Marsanne",
    "Norrlund", "Oakhanger", "Pellerin", "Quillan", "Rosendal", "Sandoval", "Thornby", "Ulverton",
    "Vallombre", "Westerhof", "Yarrowfield", "Zandvoorde", "Ambleford", "Belcastro", "Corvara",
    "Delmonde", "Emberley", "Farnholt", "Glanmore", "Highbrook", "Inverlea", "Juniper Hill",
    "Korsholm", "Lerwood", "Montclair", "Neuhof", "Olivarez", "Prestwold", "Rivermead",
    "Silverlund", "Trevanion", "Umberleigh", "Vistamar", "Wexholm", "Zielonka",
)  # fmt: skip
TRADES = (
    ("Foods", "Food & Beverage"), ("Hotels", "Hospitality"), ("Logistics", "Transportation"),
    ("Property", "Construction"), ("Paper", "Manufacturing"), ("Clinics", "Healthcare"),
    ("Textiles", "Apparel"), ("Energy", "Energy"), ("Plastics", "Chemicals"),
    ("Garden Centres", "Retail"), ("Schools", "Education"), ("Glass", "Manufacturing"),
    ("Dairies", "Food & Beverage"), ("Data Centres", "Technology"), ("Tooling", "Machinery"),
)  # fmt: skip

TITLES = (
    "Energy Manager", "Head of Facilities", "Plant Manager", "Managing Director",
    "Procurement Manager", "Chief Financial Officer", "Sustainability Lead", "Technical Director",
    "Head of Operations", "Property Manager", "Controller", "Maintenance Engineer",
)  # fmt: skip
DEPARTMENTS = {
    "Energy Manager": "Facilities",
    "Head of Facilities": "Facilities",
    "Maintenance Engineer": "Facilities",
    "Plant Manager": "Production",
    "Procurement Manager": "Purchasing",
    "Chief Financial Officer": "Finance",
    "Controller": "Finance",
}
DECIDERS = {"Managing Director", "Chief Financial Officer", "Technical Director"}

PRODUCTS = (
    ("Submetering", "Bills have to be split by tenant; today somebody reads 140 meters by hand."),
    ("Energy monitoring", "Wants to see consumption by line and shift, not once a month."),
    ("Heat meters", "The present ones lose their approval at the end of the year."),
    ("Water leak alarms", "Two burst pipes last winter, both found days later."),
    ("Cooling monitoring", "An audit asked for a record of temperatures without gaps."),
    ("Solar yield monitoring", "Four roofs, four inverters' portals, no common figures."),
    ("Charging point meters", "Company cars are to be billed to the kilowatt-hour."),
    ("Compressed air metering", "Suspects leaks of a fifth; nobody has measured yet."),
)
INTERESTS = ("Energy saving", "Reporting", "Tenant billing", "Maintenance", "Carbon accounting")
SOURCES = (
    "Web", "Web", "Web", "Trade Show", "Trade Show", "Partner Referral", "Phone Inquiry",
    "External Referral", "Advertisement", "Email", "Social Media", "Chat",
)  # fmt: skip
SOURCE_DETAILS = {
    "Web": ("Form: ask for a quote", "Form: savings calculator", "Form: call me back"),
    "Trade Show": ("Building technology fair, spring", "Meter days, hall 4"),
    "Advertisement": ("Trade magazine, issue 3",),
}
NEXT_STEPS = (
    "Send the revised quote", "Site visit with the installer", "Call about the number of meters",
    "Show the tenant portal", "Get the single-line diagram", "Ask legal about the framework",
    "Agree on the pilot's end date", "Send two references",
)  # fmt: skip
COMPETITORS = ("Messtechnik Arnsfeld", "Gridsight Systems", "Compteurs Delaroche")
LOSSES = (
    ("Price", "", ""),
    ("Lost to competitor", "Cheaper by a tenth, with a longer warranty.", COMPETITORS[0]),
    ("No decision / status quo", "They go on reading by hand for another year.", ""),
    ("Lost to competitor", "Wanted one supplier for meters and billing.", COMPETITORS[1]),
    ("No budget", "", ""),
    ("Timing", "Asks again when the new building is planned.", ""),
    ("Missing feature", "Needs a protocol that the gateway does not speak.", ""),
    ("Other", "The site was sold.", ""),
)
WINS = ("Product fit", "Relationship", "Service", "Price")
DISQUALIFIED = (
    ("No response", ""), ("No budget", ""), ("Not a fit", ""), ("No interest", ""),
    ("Competitor chosen", ""), ("Bad data", ""), ("Student/Job seeker", ""), ("Timing", ""),
    ("Other", "Looked for a supplier of household meters."),
)  # fmt: skip
ROLES = ("Decision Maker", "Influencer", "Economic Buyer", "Business User", "Evaluator", "Champion")

# Units for one US dollar; a quarter ago, and since the first of this month.
RATES = {
    "EUR": ("0.9240", "0.9185"), "GBP": ("0.7890", "0.7835"), "SEK": ("10.4200", "10.3600"),
    "PLN": ("3.9700", "3.9350"), "JPY": ("149.5000", "151.2000"), "INR": ("83.9000", "84.3000"),
    "NGN": ("1540.0000", "1565.0000"), "USD": ("1", "1"),
}  # fmt: skip
