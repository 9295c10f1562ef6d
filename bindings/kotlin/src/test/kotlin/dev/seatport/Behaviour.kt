package dev.seatport

/** A test of this behaviour; bindings/behaviours.json lists those that every language must have. */
@Repeatable
@Target(AnnotationTarget.FUNCTION)
annotation class Behaviour(val name: String)
