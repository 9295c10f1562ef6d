package dev.seatport

import kotlin.system.exitProcess

/** Uses the library, and says what is wrong with it: the first time, and again. */
fun main() {
    try {
        Secret("hush").expose()
    } catch (wrong: NativeLibraryError) {
        println(wrong.message)
        exitProcess(3)
    }
}
