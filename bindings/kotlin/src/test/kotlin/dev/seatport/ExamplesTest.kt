package dev.seatport

import dev.seatport.examples.EchoNetwork
import dev.seatport.examples.EchoPeer
import dev.seatport.examples.EchoTransport
import dev.seatport.examples.tell
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The programs in examples/kotlin. */
class ExamplesTest {
    @Behaviour("story")
    @Test
    fun `the story is told to its end`() = test {
        val told = ArrayList<String>()
        tell { told += it }
        assertEquals("The office closes.", told.last())
        assertTrue(told.size > 20)
    }

    @Behaviour("transport_suite")
    @Test
    fun `the echo network passes the suite`() = test {
        val network = EchoNetwork()
        val hosted = Network.hosted("echo", Capabilities(storesCredentials = true), EchoTransport(network))
        val outcomes = checkTransport(hosted, EchoPeer(network))
        val failed = outcomes.filter { it.verdict is CaseVerdict.Failed }
        assertEquals(listOf<CaseOutcome>(), failed)
        assertTrue(outcomes.count { it.verdict is CaseVerdict.Passed } >= 20, outcomes.toString())
    }
}
