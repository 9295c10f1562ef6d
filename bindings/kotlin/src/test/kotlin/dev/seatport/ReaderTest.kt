package dev.seatport

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** What the library answers is made up here: a batch that got lost on its way comes again, and may be longer than what is asked for by then. */
class ReaderTest {
    private val reader = Reader({}) { seen, _ -> Reader.Batch(seen + 1, (1..3).map { seen * 10 + it }) }

    @Test
    fun `a lost batch that is longer than asked for is handed out in parts, whole and in its order`() = runBlocking {
        assertEquals(listOf(1L, 2L), reader.batch(2))
        assertEquals(listOf(3L), reader.batch(2))
        assertEquals(listOf(11L, 12L, 13L), reader.batch(3))
    }

    @Test
    fun `what is asked for one by one and in batches comes from the same place`() = runBlocking {
        assertEquals(1L, reader.next())
        assertEquals(listOf(2L, 3L), reader.batch(9))
        assertEquals(11L, reader.next())
    }
}
