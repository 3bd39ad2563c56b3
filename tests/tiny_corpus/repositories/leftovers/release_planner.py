"""Plans in which order packages are released: each after those that it requires."""


def plan(requires):
    order = []
    while len(order) < len(requires):
        ready = [p for p in requires if p not in order and all(r in order for r in requires[p])]
        order.append(min(ready))
    return order


if __name__ == "__main__":
    print(" then ".join(plan({"kernel": [], "driver": ["kernel"], "desktop": ["driver", "kernel"]})))
