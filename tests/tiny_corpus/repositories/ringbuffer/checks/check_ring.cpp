#include <cassert>

#include "../src/ring.hpp"

int main()
{
    ringbuffer::Ring<int> ring(8);
    for (int value = 1; value <= 10; ++value)
        assert(ring.push(value) == (value <= 8));
    const auto drained = ring.drain();
    assert(drained.size() == 8);
    assert(drained.front() == 1 && drained.back() == 8);
    return 0;
}
