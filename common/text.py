"""What text may be stored: PostgreSQL refuses NUL, UTF-8 lone surrogates, and mail headers line breaks."""

import re
import unicodedata

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
LINE_BREAKS = re.compile("[\r\n\x0b\x0c\x85\u2028\u2029]+")


def storable(text: str) -> bool:
    """Whether PostgreSQL can store ``text`` as it is."""
    return UNSTORABLE.search(text) is None


def one_line(text: str) -> str:
    """``text`` with every run of line breaks turned into one space, for subjects, names and headers."""
    return LINE_BREAKS.sub(" ", text).strip()


def normal_email(address: str) -> str:
    """An address as it is compared: Unicode NFKC, trimmed, lower case."""
    return unicodedata.normalize("NFKC", address).strip().casefold()
