package dev.seatport

import kotlin.system.exitProcess
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.GlobalScope
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** Ends with calls and callbacks under way. */
@OptIn(DelicateCoroutinesApi::class)
fun main() {
    setLogSink({ Thread.sleep(1) }, LogLevel.TRACE)
    runBlocking {
        val hangs = Host(connecting = { awaitCancellation() })
        val blocks = Host(connecting = { Thread.sleep(Long.MAX_VALUE) })
        val (first, second) = List(2) { House.open { hangs.on(it) } }
        GlobalScope.launch { first.mei.events(first.mei.cursors()).next() }
        val third = House.open { blocks.on(it) }
        for (house in listOf(first, second, third)) house.mei.addAndStart(NewAccount("own"))
        first.online()
        while (hangs.dials.get() < 2 || blocks.dials.get() < 1) Thread.sleep(5)
    }
    println("leaving")
    if (System.getProperty("way") == "exit") exitProcess(0)
}
