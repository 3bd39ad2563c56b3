// A ring for C++: it closes itself, and holds values of one type.
#pragma once

#include <stdexcept>
#include <vector>

#include "ringbuffer/ring.h"

namespace ringbuffer {

template <typename Value>
class Ring {
public:
    explicit Ring(std::size_t capacity)
    {
        if (!ring_open(&ring_, capacity * sizeof(Value)))
            throw std::invalid_argument("capacity out of range");
    }
    ~Ring() { ring_close(&ring_); }
    Ring(const Ring &) = delete;
    Ring &operator=(const Ring &) = delete;

    bool push(const Value &value)
    {
        if (ring_.capacity - ring_.count < sizeof(Value))
            return false;
        ring_write(&ring_, reinterpret_cast<const unsigned char *>(&value), sizeof(Value));
        return true;
    }

    std::vector<Value> drain()
    {
        std::vector<Value> values(ring_.count / sizeof(Value));
        ring_read(&ring_, reinterpret_cast<unsigned char *>(values.data()), ring_.count);
        return values;
    }

private:
    struct ring ring_;
};

}  // namespace ringbuffer
