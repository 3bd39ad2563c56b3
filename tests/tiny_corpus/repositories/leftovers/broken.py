"""A merge that nobody finished."""


def depth(tree:
    if tree is None
        return 0
<<<<<<< ours
    return 1 + max(depth(tree.left, depth(tree.right)
=======
    return 1 + max(map(depth tree.children), default=)
>>>>>>> theirs


class Tree(:
    def __init__(self, left, right:
        self left = left
        self right = right
