// Whether a value was refused while the arguments of the call under way on this thread were written. Writing them cannot fail,
// so it is asked for afterwards.
#pragma once

#include <stdint.h>

static inline int32_t *seatport_refusal(void) {
    static _Thread_local int32_t refusal;
    return &refusal;
}
