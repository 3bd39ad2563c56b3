/* How large a ring may be. The name is that of a standard header, which <limits.h> still means. */
#ifndef RINGBUFFER_LIMITS_H
#define RINGBUFFER_LIMITS_H

#define RING_SMALLEST_CAPACITY 16
#define RING_LARGEST_CAPACITY (1024 * 1024)

#endif
