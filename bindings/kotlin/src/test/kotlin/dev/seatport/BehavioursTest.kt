package dev.seatport

import com.google.gson.JsonParser
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.name
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

class BehavioursTest {
    /** Those that name a whole list are checked where the list is: OperationsTest, ErrorsTest, and the run of the README's program. */
    private val elsewhere = setOf("operation:<name>", "error:<kind>", "readme")

    @Test
    fun `every behaviour that all languages share has a test here`() {
        val shared = JsonParser.parseString(Files.readString(ROOT.resolve("bindings/behaviours.json"))).asJsonArray
            .map { it.asJsonObject["name"].asString }.toSet() - elsewhere
        val tested = tests().flatMap { method -> method.getAnnotationsByType(Behaviour::class.java).map { it.name } }.toSet()
        assertEquals(emptySet<String>(), shared - tested, "behaviours without a test")
        assertEquals(emptySet<String>(), tested - shared, "behaviours that are not listed in bindings/behaviours.json")
    }

    /** The test methods of this package. */
    private fun tests() = Files.list(Path.of(javaClass.getResource("BehavioursTest.class")!!.toURI()).parent).use { files ->
        val names = files.map { it.name }.filter { it.endsWith("Test.class") }.map { "dev.seatport." + it.removeSuffix(".class") }.toList()
        assertTrue(names.size > 5, "the tests are not where they were looked for")
        names.flatMap { Class.forName(it).declaredMethods.toList() }
            .filter { it.isAnnotationPresent(Test::class.java) || it.isAnnotationPresent(TestFactory::class.java) }
    }
}
