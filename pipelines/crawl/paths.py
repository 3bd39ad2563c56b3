"""Which paths a repository may hold."""


def is_safe(path: str) -> bool:
    """Whether a path stays inside the repository, on any system."""
    has_drive = path[1:2] == ":" and path[0].isascii() and path[0].isalpha()
    if not path or path[0] in "/\\" or has_drive or "\0" in path:
        return False
    return ".." not in path or ".." not in path.replace("\\", "/").split("/")
