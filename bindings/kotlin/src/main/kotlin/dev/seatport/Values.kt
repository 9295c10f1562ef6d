package dev.seatport

import java.nio.ByteBuffer
import java.nio.CharBuffer
import java.nio.charset.CharacterCodingException
import java.nio.charset.CharsetEncoder

// Values that the library refuses, or has no words for. Numbers that cannot be negative: the library has them unsigned; here they are what Kotlin and Java count with.

internal object FfiConverterUByte : FfiConverter<Int, Byte> {
    override fun lift(value: Byte): Int = value.toInt() and 0xFF

    override fun lower(value: Int): Byte = fit(value.toLong(), 0xFF).toByte()

    override fun read(buf: ByteBuffer): Int = lift(buf.get())

    override fun allocationSize(value: Int): ULong = 1UL

    override fun write(value: Int, buf: ByteBuffer) {
        buf.put(lower(value))
    }
}

internal object FfiConverterUShort : FfiConverter<Int, Short> {
    override fun lift(value: Short): Int = value.toInt() and 0xFFFF

    override fun lower(value: Int): Short = fit(value.toLong(), 0xFFFF).toShort()

    override fun read(buf: ByteBuffer): Int = lift(buf.getShort())

    override fun allocationSize(value: Int): ULong = 2UL

    override fun write(value: Int, buf: ByteBuffer) {
        buf.putShort(lower(value))
    }
}

internal object FfiConverterUInt : FfiConverter<Int, Int> {
    // The few numbers that may be so high are limits, of which the highest are all the same.
    override fun lift(value: Int): Int = if (value < 0) Int.MAX_VALUE else value

    override fun lower(value: Int): Int = fit(value.toLong(), Int.MAX_VALUE.toLong()).toInt()

    override fun read(buf: ByteBuffer): Int = lift(buf.getInt())

    override fun allocationSize(value: Int): ULong = 4UL

    override fun write(value: Int, buf: ByteBuffer) {
        buf.putInt(lower(value))
    }
}

internal object FfiConverterULong : FfiConverter<Long, Long> {
    override fun lift(value: Long): Long = if (value < 0) Long.MAX_VALUE else value

    override fun lower(value: Long): Long = fit(value, Long.MAX_VALUE)

    override fun read(buf: ByteBuffer): Long = lift(buf.getLong())

    override fun allocationSize(value: Long): ULong = 8UL

    override fun write(value: Long, buf: ByteBuffer) {
        buf.putLong(lower(value))
    }
}

/** The number, if it is one of 0 to [most]. */
private fun fit(number: Long, most: Long): Long {
    if (number in 0..most) return number
    val problem = if (number < 0) "negative" else "higher than $most"
    throw invalid("number", "$number, which is $problem", "give one of 0 to $most")
}

/** The text in UTF-8, if it has one. */
internal fun CharsetEncoder.encodeWhole(text: CharBuffer): ByteBuffer = try {
    encode(text)
} catch (_: CharacterCodingException) {
    throw invalid("text", "half of a surrogate pair in it", "give whole characters")
}

/** What the library itself answers to such a value. */
internal fun invalid(field: String, problem: String, wayOut: String): SeatportException.Invalid =
    SeatportException.Invalid("invalid $field: $problem; $wayOut", field, problem, wayOut)
