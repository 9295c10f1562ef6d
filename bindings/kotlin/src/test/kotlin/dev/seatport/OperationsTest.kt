package dev.seatport

import java.lang.reflect.Modifier
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/** Every operation there is, called once, and its answer looked at. */
class OperationsTest {
    private val operations = Operations().apply {
        node()
        sessions()
        lifecycle()
        conversations()
        sending()
        searching()
        leads()
        auditAndExport()
        events()
        network()
        person()
    }.all

    @TestFactory
    fun `each operation answers`(): List<DynamicTest> = operations.map { (name, run) -> dynamicTest("operation:$name", run) }

    @Test
    fun `no operation is without a test`() {
        val all = listOf(
            Seatport::class.java, Desk::class.java, EventFeed::class.java, Consumer::class.java, Watch::class.java, Export::class.java,
            Messenger::class.java, Phone::class.java, Person::class.java, Group::class.java, Network::class.java, VaultKey::class.java,
            Secret::class.java,
        ).flatMap { type ->
            (type.declaredMethods + type.declaredClasses.filter { it.simpleName == "Companion" }.flatMap { it.declaredMethods.toList() })
                .filter { Modifier.isPublic(it.modifiers) && !it.isSynthetic && !it.isBridge }
                .map { it.name }
                // What Kotlin itself adds, and what mangles the names of what is internal.
                .filterNot { '$' in it || it in setOf("toString", "hashCode", "destroy") || it.startsWith("callWithHandle") }
                .map { "${type.simpleName}.${it.removePrefix("get").replaceFirstChar(Char::lowercase)}" }
        }.toSortedSet()
        // A generated object is closed to let go of it, which its own tests do not look at.
        val closes = setOf("Messenger", "Phone", "Person", "Group", "Network", "VaultKey", "Secret").map { "$it.close" }.toSet()
        assertEquals(emptySet<String>(), all - closes - operations.keys, "operations without a test")
        assertEquals(emptySet<String>(), operations.keys - all, "tests of operations that are not there")
    }
}

/** A test for each operation. */
internal class Operations {
    val all = LinkedHashMap<String, () -> Unit>()

    fun operation(name: String, body: suspend House.() -> Unit) {
        check(all.put(name) { inHouse(body = body) } == null) { name }
    }
}

/** Waits until this is so. */
internal suspend fun until(isSo: suspend () -> Boolean) {
    while (!isSo()) delay(10)
}
