package dev.seatport

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.name
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What takes a process of its own. */
class ProcessesTest {
    @TempDir
    lateinit var directory: Path

    private class Ended(val status: Int, val said: String)

    /** Runs a program of the tests in a JVM of its own. */
    private fun run(main: String, vararg options: String): Ended {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val path = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        val said = directory.resolve("said")
        val process = ProcessBuilder(listOf(java) + options + listOf("-classpath", path, main))
            .redirectErrorStream(true).redirectOutput(said.toFile()).start()
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor()
            throw AssertionError("the process did not end: ${Files.readString(said)}")
        }
        return Ended(process.exitValue(), Files.readString(said))
    }

    @Behaviour("exit_without_close")
    @Test
    fun `a process that closes nothing ends by itself`() {
        for (way in listOf("return", "exit")) {
            val ended = run("dev.seatport.LeavesKt", "-Dway=$way")
            assertEquals(0, ended.status, ended.said)
            assertTrue("leaving" in ended.said, ended.said)
            assertTrue("Exception" !in ended.said && "panicked" !in ended.said, ended.said)
        }
    }

    @Behaviour("version_check")
    @Test
    fun `a library of another version is refused`() {
        val other = VERSION.map { if (it.isDigit()) '9' else it }.joinToString("")
        val refused = refused(patched { bytes -> bytes.replaceAll(VERSION.toByteArray(), other.toByteArray()) })
        assertTrue("the native library is Seatport $other, and this package is $VERSION" in refused, refused)
    }

    @Behaviour("version_check")
    @Test
    fun `a library with another checksum is refused`() {
        uniffiEnsureInitialized()
        val checksum = IntegrityCheckingUniffiLib.uniffi_seatport_ffi_checksum_method_desk_card() and 0xFFFF
        val (low, high) = (checksum and 0xFF).toByte() to (checksum shr 8).toByte()
        val word = 0x52800000 or (checksum shl 5)
        // The function is nothing but this number: `mov ax, n`, `mov eax, n` or `mov w0, #n`.
        val forms = listOf(
            byteArrayOf(0x66, 0xB8.toByte(), low, high),
            byteArrayOf(0xB8.toByte(), low, high, 0, 0),
            ByteArray(4) { (word shr (8 * it)).toByte() },
        )
        val refused = refused(patched { bytes -> forms.sumOf { form -> bytes.replaceAll(form, form.copyOf().also { it[2] = (it[2] + 1).toByte() }) } })
        assertTrue("is not the one that the Seatport package $VERSION was built with" in refused, refused)
        assertTrue("checksum" in refused, refused)
    }

    @Behaviour("version_check")
    @Test
    fun `a library that is none is refused`() {
        val none = Files.writeString(directory.resolve("libnone.so"), "not a library")
        val refused = refused(none)
        assertTrue("cannot be loaded" in refused, refused)
    }

    /** What a program says that finds this library. */
    private fun refused(library: Path): String {
        val ended = run("dev.seatport.LoadsKt", "-Duniffi.component.seatport.libraryOverride=$library")
        assertEquals(3, ended.status, ended.said)
        return ended.said
    }

    /** The library with a change. */
    private fun patched(change: (ByteArray) -> Int): Path {
        val resources = Path.of(System.getProperty("seatport.build")).resolve("resources")
        val library = Files.walk(resources).use { files -> files.filter { "seatport_ffi" in it.name }.toList().single() }
        val bytes = Files.readAllBytes(library)
        assertTrue(change(bytes) > 0, "nothing to change was found")
        return Files.write(directory.resolve("libpatched.so"), bytes)
    }

    /** Replaces each occurrence in place, and says how many there were. */
    private fun ByteArray.replaceAll(from: ByteArray, to: ByteArray): Int {
        var count = 0
        var at = 0
        while (at <= size - from.size) {
            if (this[at] == from[0] && from.indices.all { this[at + it] == from[it] }) {
                to.copyInto(this, at)
                at += from.size
                count++
            } else {
                at++
            }
        }
        return count
    }
}
