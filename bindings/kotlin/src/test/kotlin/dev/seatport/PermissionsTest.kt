package dev.seatport

import com.google.gson.JsonParser
import java.nio.file.Files
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/** What supervisors and agents may do, in both scopes, as bindings/permissions.json has it. */
class PermissionsTest {
    private class Row(val operation: String, val action: String, val supervisor: Boolean, val agent: Boolean, val needsAll: Boolean)

    private val rows = JsonParser.parseString(Files.readString(ROOT.resolve("bindings/permissions.json"))).asJsonArray.map {
        val row = it.asJsonObject
        Row(
            row["operation"].asString,
            row["action"].asString,
            row["supervisor"].asBoolean,
            row["agent"].asBoolean,
            row["needs_all"].asBoolean,
        )
    }

    /** Those that are not about one session. */
    private val aboutNone = setOf(
        "agent", "may", "cards", "leads", "export_leads", "lead_adjustments", "rebuild_leads", "audit", "verify_audit", "cursors", "events",
    )

    @Test
    fun `the table has every operation of a desk`() {
        assertEquals(rows.map { it.operation }.toSortedSet(), DESK_CALLS.keys.toSortedSet())
        val desk = (DeskOperations::class.java.methods + Desk::class.java.declaredMethods.filter { it.name in setOf("events", "consume", "watch", "exportSession") })
            .map { it.name }.filterNot { '$' in it }
            .map { it.replace(Regex("[A-Z]")) { upper -> "_" + upper.value.lowercase() } }.toSortedSet()
        assertEquals(desk, DESK_CALLS.keys.toSortedSet())
    }

    @Behaviour("permissions")
    @TestFactory
    fun `each may do what the table says`(): List<DynamicTest> = rows.flatMap { row ->
        AgentScope.entries.map { scope ->
            dynamicTest("${row.operation}, $scope") {
                inHouse({ it.copy(agentScope = scope) }) {
                    val session = mei.addAccount(NewAccount("simulated"))
                    val seen = scope == AgentScope.ALL || row.operation in aboutNone
                    assertEquals(row.agent && seen && !(row.needsAll && scope == AgentScope.BOUND_ONLY), allowed(li, session, row), "agent")
                }
                inHouse({ it.copy(agentScope = scope) }) {
                    val session = mei.addAccount(NewAccount("simulated"))
                    assertEquals(row.supervisor, allowed(mei, session, row), "supervisor")
                }
            }
        }
    }

    @Behaviour("permissions")
    @Test
    fun `an agent sees what is bound to them`() = inHouse({ it.copy(agentScope = AgentScope.BOUND_ONLY) }) {
        val (mine, other) = List(2) { mei.addAccount(NewAccount("simulated")) }
        mei.assign(mine, "li")
        assertEquals(listOf(mine), li.cards().map { it.session })
        assertEquals(setOf(mine), li.cursors().keys)
        assertEquals("li", li.card(mine).agent)
        fails<SeatportException.Denied> { li.card(other) }
        mei.assign(mine, null)
        assertEquals(listOf<Card>(), li.cards())
    }

    /** Whether a call is not denied; it may well fail for another reason. */
    private suspend fun allowed(desk: Desk, session: String, row: Row): Boolean = try {
        DESK_CALLS.getValue(row.operation)(desk, session)
        true
    } catch (denied: SeatportException.Denied) {
        val said = denied.action.name.replace("_", "")
        assertEquals(row.action.uppercase(), said)
        false
    } catch (_: SeatportException) {
        true
    }
}
