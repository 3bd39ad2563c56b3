"""What a page's address says: its domain, its id, and whether two addresses mean the same page."""

import hashlib
from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def domain(url: str) -> str:
    """The host name, lower case, without a leading `www.`; empty where `url` is no address of a web page."""
    parts = _split(url)
    return _host(parts) if parts else ""


def path(url: str) -> str:
    """The path, with its leading `/`."""
    parts = _split(url)
    return "/" + parts.path.lstrip("/") if parts else "/"


def same_page_key(url: str) -> bytes:
    """16 bytes that are equal for addresses which differ in scheme, `www.`, case of the host, or fragment alone."""
    parts = _split(url)
    assert parts, url
    port = "" if parts.port in {None, DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    address = f"{_host(parts)}{port}/{parts.path.lstrip('/')}?{parts.query}"
    return hashlib.blake2b(address.encode(), digest_size=16).digest()


def page_id(url: str, fetched_at: str) -> str:
    """20 hex digits that stand for this fetch of the page."""
    return hashlib.blake2b(f"{url}\n{fetched_at}".encode(), digest_size=10).hexdigest()


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a broken IPv6 address, or a port that is no number
        return None
    return parts if usable else None


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").lower().rstrip(".").removeprefix("www.")
