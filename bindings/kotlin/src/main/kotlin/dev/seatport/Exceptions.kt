@file:JvmName("Exceptions")

package dev.seatport

/**
 * Whether the same call may succeed later: a port may become free, another writer may be done, the storage may come back. For all
 * other kinds something has to change first.
 */
public val SeatportException.retry: Boolean
    get() = when (this) {
        is SeatportException.PoolFull,
        is SeatportException.PortWaitTimedOut,
        is SeatportException.Contended,
        is SeatportException.EventsTrimmed,
        -> true
        is SeatportException.Storage -> retry
        else -> false
    }
