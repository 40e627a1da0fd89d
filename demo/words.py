"""The words that the demo company is made of. Every person and every customer is invented."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """Where a customer is: the language its people are written to in, their time zone and their names.

    Names are pairs of how they are written and how they are spelled in an address.
    """

    code: str
    weight: int
    language: str
    time_zone: str
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]
    family_first: bool = False


def _plain(names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name.lower()) for name in names.split())


def _pairs(names: str) -> tuple[tuple[str, str], ...]:
    parts = [pair.partition("=") for pair in names.split()]
    return tuple((written, spelled) for written, _equals, spelled in parts)


_ENGLISH = _plain(
    "Olivia Marcus Priya Daniel Grace Tobias Hannah Omar Rachel Victor Naomi Ethan Fiona Caleb Imani Joel"
)
_ENGLISH_FAMILY = _plain(
    "Hartley Okafor Bennett Castillo Whitfield Nair Doyle Pemberton Sloan Achebe Merritt Lang Voss"
)
_GERMAN = _pairs("Anneliese=anneliese Jürgen=juergen Katrin=katrin Björn=bjoern Sabine=sabine Lukas=lukas Heike=heike")
_GERMAN_FAMILY = _pairs("Brandt=brandt Schäfer=schaefer Vogel=vogel Krämer=kraemer Lindner=lindner Böhm=boehm")
_FRENCH = _pairs("Élodie=elodie Mathieu=mathieu Camille=camille Benoît=benoit Solène=solene Thierry=thierry")
_FRENCH_FAMILY = _pairs("Lefèvre=lefevre Moreau=moreau Garnier=garnier Besson=besson Chevalier=chevalier")
_BULGARIAN = _pairs(
    "Иван=ivan Мария=maria Георги=georgi Елена=elena Стоян=stoyan Десислава=desislava Николай=nikolay Ралица=ralitsa"
)
_BULGARIAN_FAMILY = _pairs("Петков=petkov Димитров=dimitrov Колев=kolev Тодоров=todorov Желев=zhelev Минчев=minchev")
_RUSSIAN = _pairs(
    "Анна=anna Дмитрий=dmitry Ольга=olga Сергей=sergey Ирина=irina Павел=pavel Светлана=svetlana Артём=artyom"
)
_RUSSIAN_FAMILY = _pairs("Шевченко=shevchenko Климук=klimuk Юрченко=yurchenko Коваленко=kovalenko Бондарь=bondar")
_CHINESE = _pairs(
    "晓明=xiaoming 丽华=lihua 志强=zhiqiang 雨桐=yutong 建国=jianguo 思远=siyuan 美玲=meiling 俊杰=junjie"
)
_CHINESE_FAMILY = _pairs("王=wang 李=li 陈=chen 赵=zhao 周=zhou 吴=wu 徐=xu 林=lin")
_TAIWANESE = _pairs("雅婷=yating 宗翰=zonghan 怡君=yijun 家豪=jiahao 淑芬=shufen 冠宇=guanyu 詩涵=shihan 柏翰=bohan")
_TAIWANESE_FAMILY = _pairs("陳=chen 林=lin 黃=huang 張=chang 吳=wu 劉=liu 蔡=tsai 楊=yang")
_SPANISH = _pairs("Lucía=lucia Andrés=andres Marta=marta Íñigo=inigo Paula=paula Rubén=ruben Nuria=nuria")
_SPANISH_FAMILY = _pairs("Ibáñez=ibanez Romero=romero Vidal=vidal Ortega=ortega Peña=pena Salas=salas")
_NORDIC = _pairs("Astrid=astrid Søren=soren Linnea=linnea Håkon=hakon Freja=freja Mikkel=mikkel Sigrid=sigrid")
_NORDIC_FAMILY = _pairs("Lindqvist=lindqvist Dahl=dahl Ekström=ekstrom Nygaard=nygaard Holm=holm Bergström=bergstrom")

COUNTRIES = (
    Country("US", 26, "en", "America/New_York", _ENGLISH, _ENGLISH_FAMILY),
    Country("GB", 13, "en", "Europe/London", _ENGLISH, _ENGLISH_FAMILY),
    Country("DE", 10, "en", "Europe/Berlin", _GERMAN, _GERMAN_FAMILY),
    Country("FR", 7, "en", "Europe/Paris", _FRENCH, _FRENCH_FAMILY),
    Country("SE", 6, "en", "Europe/Stockholm", _NORDIC, _NORDIC_FAMILY),
    Country("ES", 6, "en", "Europe/Madrid", _SPANISH, _SPANISH_FAMILY),
    Country("BG", 9, "bg", "Europe/Sofia", _BULGARIAN, _BULGARIAN_FAMILY),
    Country("LV", 4, "ru", "Europe/Riga", _RUSSIAN, _RUSSIAN_FAMILY),
    Country("KZ", 4, "ru", "Asia/Almaty", _RUSSIAN, _RUSSIAN_FAMILY),
    Country("CN", 8, "zh-hans", "Asia/Shanghai", _CHINESE, _CHINESE_FAMILY, family_first=True),
    Country("TW", 7, "zh-hant", "Asia/Taipei", _TAIWANESE, _TAIWANESE_FAMILY, family_first=True),
)

COMPANY_FIRST = (
    "Alder",
    "Amberly",
    "Ardmoor",
    "Bellwick",
    "Bramley",
    "Calder",
    "Corvane",
    "Dunmere",
    "Eastvale",
    "Elmgrove",
    "Farrow",
    "Fenwick",
    "Gablestone",
    "Glenhurst",
    "Hallow",
    "Hartmere",
    "Hollin",
    "Ivory",
    "Jorvane",
    "Kelmore",
    "Kindle",
    "Larkspur",
    "Linden",
    "Marlow",
    "Mistral",
    "Norvale",
    "Oakhaven",
    "Orchid",
    "Pemberly",
    "Pinecrest",
    "Quayside",
    "Ravel",
    "Redfern",
    "Rosewick",
    "Saffron",
    "Silverbrook",
    "Stonebridge",
    "Tamsin",
    "Thornbury",
    "Umber",
    "Valemont",
    "Verity",
    "Westering",
    "Wexmoor",
    "Whitlow",
    "Yarrow",
    "Zephyrine",
    "Borealis",
    "Cobaltine",
    "Driftwood",
)

INDUSTRIES = {
    "Logistics": ("Logistics", "Freight", "Shipping"),
    "Healthcare": ("Clinics", "Diagnostics", "Care"),
    "Finance": ("Capital", "Insurance", "Advisory"),
    "Media": ("Media", "Publishing", "Studios"),
    "Manufacturing": ("Works", "Components", "Textiles"),
    "Retail": ("Foods", "Outfitters", "Markets"),
    "Education": ("Academy", "Learning", "Institute"),
    "Technology": ("Systems", "Labs", "Analytics"),
    "Travel": ("Travel", "Hotels", "Journeys"),
    "Energy": ("Energy", "Power", "Solar"),
}

TITLES = {
    "champion": ("Head of Operations", "Director of Collaboration", "Programme Lead", "Workplace Technology Lead"),
    "decision_maker": ("Chief Operating Officer", "VP Operations", "Chief Information Officer", "Managing Director"),
    "user": ("Team Lead", "Project Manager", "Office Manager", "Coordinator", "Analyst"),
    "billing": ("Accounts Payable", "Finance Manager", "Procurement Lead"),
}

TICKETS = (
    ("Notifications arrive late on mobile", "medium"),
    ("Cannot invite a guest to a board", "low"),
    ("Search does not find archived documents", "medium"),
    ("Calendar shows meetings an hour off", "high"),
    ("Single sign-on loop after certificate change", "urgent"),
    ("Export of the audit log times out", "medium"),
    ("File preview stays empty", "low"),
    ("Automation ran twice for one form", "high"),
    ("Question about seats on the invoice", "low"),
    ("Import of tasks lost the due dates", "high"),
    ("Video call has no sound in one meeting room", "medium"),
    ("All users signed out this morning", "urgent"),
    ("Cannot change the owner of a workspace", "low"),
    ("Webhook deliveries stopped", "high"),
    ("Dashboard numbers differ from the report", "medium"),
)

EXCHANGES = {
    "positive": (
        ("call", "Regular call: two more teams want to move their planning into boards", 30),
        ("meeting", "Walked the new project leads through workflows; they built one themselves", 60),
        ("email", "Thanked us for the fast answer on guest access", None),
        ("business_review", "Quarterly review: planning time down by a third, goals for next quarter agreed", 60),
        ("call", "Champion showed our dashboards to the board; they ask for a reference visit", 25),
        ("chat", "Asked how to bring external partners in; sent the guide", 10),
    ),
    "neutral": (
        ("call", "Regular call: nothing urgent, next topic is the clean-up of old workspaces", 30),
        ("email", "Sent the release notes and the two changes that concern them", None),
        ("meeting", "Went through the seat list with IT; eleven people have left and can be removed", 45),
        ("webinar", "Four people joined the webinar on automations", 45),
        ("business_review", "Quarterly review: usage steady, asked for a clearer picture of adoption by team", 60),
        ("note", "Reorganisation announced; new structure expected next month", None),
    ),
    "negative": (
        ("call", "Frustrated about late notifications; wants a date for the fix", 30),
        ("email", "Asks why the invoice grew; suspects seats that nobody uses", None),
        ("meeting", "New manager questions why they pay for two tools", 45),
        ("call", "Teams fall back to e-mail because meetings do not show in the calendar", 30),
    ),
}
NEXT_STEPS = (
    "Send a summary with owners and dates",
    "Book the next call with the project leads",
    "Ask support for the state of their open tickets",
    "Prepare numbers by team for the next review",
    "Share the template for the roll-out",
    "Show the two team leads how to build a dashboard",
    "Find out who decides about the budget",
    "Send the list of seats that nobody uses",
    "Introduce them to a customer of the same trade",
    "Check whether the import went through",
)

COMMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "promoter": {
        "en": (
            "It is the first tool that all our offices really use.",
            "Boards replaced three spreadsheets and one weekly meeting.",
            "Support answers like colleagues would.",
        ),
        "bg": ("Най-после всички работят на едно място.", "Поддръжката отговаря бързо и по същество."),
        "ru": ("Наконец-то все проекты видны в одном месте.", "Поддержка отвечает быстро и по делу."),
        "zh-hans": ("团队终于都在同一个地方协作了。", "客服响应很快，问题当天就解决。"),
        "zh-hant": ("終於讓所有團隊在同一個地方協作。", "客服很專業，當天就解決了問題。"),
    },
    "passive": {
        "en": ("Good, but search could be better.", "Does what we need; the mobile app is slow at times.", ""),
        "bg": ("Добре е, но търсенето може да е по-добро.", ""),
        "ru": ("Хорошо, но поиск мог бы быть лучше.", ""),
        "zh-hans": ("不错，但搜索还可以更好。", ""),
        "zh-hant": ("不錯，但搜尋還可以更好。", ""),
    },
    "detractor": {
        "en": (
            "Too many notifications and none when it matters.",
            "We pay for seats that nobody uses and changing that takes weeks.",
            "The calendar has been wrong since summer and nobody tells us when it is fixed.",
        ),
        "bg": ("Известията идват със закъснение и пропускаме срещи.",),
        "ru": ("Уведомления приходят с опозданием, мы пропускаем встречи.",),
        "zh-hans": ("通知经常延迟，我们错过了会议。",),
        "zh-hant": ("通知經常延遲，我們因此錯過會議。",),
    },
}

LEAVING = (
    ("voluntary", "price", "", "Cheaper bundle with what they already have; price was the stated reason."),
    ("voluntary", "missing_feature", "Plainboard", "Needed resource planning; went to a competitor that has it."),
    ("voluntary", "low_adoption", "", "Only one team ever used it; nobody owned the roll-out."),
    ("voluntary", "company_closed", "", "The company was merged into its parent, which uses another tool."),
    ("involuntary", "payment_failed", "", "Card expired and three reminders stayed unanswered."),
)

GOALS = (
    "Plan all projects in one place by the end of the year",
    "Cut weekly status meetings by half",
    "Onboard new colleagues in two weeks instead of five",
    "One workspace for all offices and partners",
    "Approve purchases within two days",
)
