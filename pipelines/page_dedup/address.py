"""Addresses that differ but mean the same page: tracking parameters, session ids, `index.html`, order of parameters.

What `web_crawl` treats as one address already (scheme, `www.`, case of the host, fragment) is the same here.
"""

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from pipelines.web_crawl import urls

TRACKING = re.compile(
    r"utm_\w+|gclid|gclsrc|dclid|fbclid|msclkid|yclid|twclid|igshid|mc_cid|mc_eid|_ga|_gl|_hsenc|_hsmi|mkt_tok"
    r"|spm|scm|share_token|ref_src|ref_url|jsessionid|phpsessid|aspsessionid\w*|sid|sessionid|session_id",
    re.IGNORECASE,
)
SESSION_IN_PATH = re.compile(r";(jsessionid|sid)=[^/;]*+", re.IGNORECASE)
INDEX_PAGE = re.compile(r"/(index|default)\.(html?|php|aspx?|jsp)$", re.IGNORECASE)
SLASHES = re.compile(r"/{2,}+")
SAFE = "/:@!$&'()*+,;=~-._"  # of a path: a character that need not be escaped means the same as its escape


def normalize(url: str) -> str:
    """The address without what does not decide which page it is; `url` itself where it is none of a web page."""
    domain = urls.domain(url)
    if not domain:
        return url
    parts = urlsplit(url)
    port = "" if parts.port in {None, urls.DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{domain}{port}{_path(parts.path)}{_query(parts.query)}"


def _path(path: str) -> str:
    whole = SLASHES.sub("/", "/" + SESSION_IN_PATH.sub("", path))
    whole = INDEX_PAGE.sub("/", whole)
    return quote(unquote(whole, errors="surrogateescape"), safe=SAFE, errors="surrogateescape").rstrip("/") or "/"


def _query(query: str) -> str:
    fields = sorted(field for field in parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
                    if not TRACKING.fullmatch(field[0]))  # fmt: skip
    return "?" + urlencode(fields, errors="surrogateescape") if fields else ""
