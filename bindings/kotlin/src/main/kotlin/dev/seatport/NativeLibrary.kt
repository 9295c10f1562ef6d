package dev.seatport

import com.sun.jna.Callback
import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native
import java.time.Duration

/**
 * The native library of Seatport cannot be used: it is not there, or it is not the one that this package was built with. The message
 * says what to do.
 *
 * @suppress
 */
public class NativeLibraryError internal constructor(message: String, cause: Throwable?) : LinkageError(message, cause)

/** How long the end of the process waits for calls that are under way. */
private val PATIENCE = Duration.ofSeconds(2)

/** Binds the functions of the library to a class, once [check] says that it is the right one. */
internal fun register(functions: Class<*>, name: String, check: () -> Unit) {
    try {
        check()
    } catch (wrong: ExceptionInInitializerError) {
        throw unfit(name, wrong.cause)
    } catch (missing: LinkageError) {
        throw missing(name, missing)
    }
    try {
        Native.register(functions, name)
    } catch (missing: LinkageError) {
        throw missing(name, missing)
    }
}

/** Makes sure that the library is of this package's version, and lets it end before the process does. */
internal fun checkVersion() {
    val version = libraryVersion()
    if (version != VERSION) {
        throw NativeLibraryError(
            "the native library is Seatport $version, and this package is $VERSION; " +
                "remove the other library from jna.library.path and the system's directories, or install the package of its version",
            null,
        )
    }
    try {
        Runtime.getRuntime().addShutdownHook(Thread({ endAll(PATIENCE) }, "seatport-end"))
    } catch (_: IllegalStateException) {
        // The process is ending already.
    }
}

private fun unfit(name: String, cause: Throwable?): NativeLibraryError =
    NativeLibraryError(
        "the native library $name is not the one that the Seatport package $VERSION was built with (${cause?.message}); " +
            "remove the other library from jna.library.path and the system's directories",
        cause,
    )

private fun missing(name: String, cause: LinkageError): NativeLibraryError =
    NativeLibraryError(
        "the native library $name cannot be loaded on ${System.getProperty("os.name")} ${System.getProperty("os.arch")}, or it is " +
            "not the one that the Seatport package $VERSION was built with: ${cause.message}",
        cause,
    )

/**
 * The threads of the library that call this stay attached to the JVM until they end, and do not keep it from ending: attaching and
 * detaching costs more than the call.
 */
internal fun keepThread(callback: Callback) {
    Native.setCallbackThreadInitializer(callback, CallbackThreadInitializer(true, false, "seatport"))
}
