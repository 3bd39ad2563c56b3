/* A queue of bytes with a fixed capacity: one thread writes, another one reads. */
#ifndef RINGBUFFER_RING_H
#define RINGBUFFER_RING_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ring {
    unsigned char *bytes;
    size_t capacity;
    size_t head;
    size_t count;
};

bool ring_open(struct ring *ring, size_t capacity);
void ring_close(struct ring *ring);
size_t ring_write(struct ring *ring, const unsigned char *bytes, size_t wanted);
size_t ring_read(struct ring *ring, unsigned char *bytes, size_t wanted);

#ifdef __cplusplus
}
#endif

#endif
