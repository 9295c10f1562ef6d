package dev.seatport

import java.time.Duration
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue

// What an instance does, and what a desk does with sessions.

internal fun Operations.node() {
    operation("Seatport.open") { assertFalse(seatport.nodeId().isEmpty()) }
    operation("Seatport.close") {
        seatport.close()
        fails<SeatportException.ShutDown> { seatport.agents() }
    }
    operation("Seatport.shutdown") {
        seatport.shutdown(Duration.ofSeconds(5))
        fails<SeatportException.ShutDown> { mei.agent() }
    }
    operation("Seatport.desk") { assertEquals("Mei Lin", seatport.desk("mei").agent().name) }
    operation("Seatport.nodeId") { assertEquals(seatport.nodeId(), seatport.nodes().single().id) }
    operation("Seatport.putAgent") {
        seatport.putAgent(Agent("bo", "Bo", Role.AGENT))
        assertEquals(Agent("bo", "Bo", Role.AGENT), seatport.agent("bo"))
    }
    operation("Seatport.agent") {
        assertEquals(Role.SUPERVISOR, seatport.agent("mei")?.role)
        assertNull(seatport.agent("nobody"))
    }
    operation("Seatport.agents") { assertEquals(listOf("li", "mei"), seatport.agents().map { it.id }) }
    operation("Seatport.removeAgent") {
        seatport.removeAgent("li")
        fails<SeatportException.UnknownAgent> { li.agent() }
    }
    operation("Seatport.portUsage") {
        val session = mei.addAndStart(NewAccount("simulated"))
        val usage = seatport.portUsage()
        assertEquals(PortRange(1, 10), usage.range)
        assertEquals(listOf(Occupied(1, session)), usage.occupied)
        assertEquals(9, usage.free)
    }
    operation("Seatport.resizePorts") {
        seatport.resizePorts(3)
        assertEquals(3, seatport.portUsage().range.capacity)
    }
    operation("Seatport.setPortRange") {
        seatport.setPortRange(PortRange(8001, 2))
        assertEquals(PortRange(8001, 2), seatport.portUsage().range)
    }
    operation("Seatport.nodes") {
        val node = seatport.nodes().single()
        assertTrue(node.accepting)
        assertEquals(0, node.sessions)
    }
    operation("Seatport.drain") { assertEquals(Drained(0, listOf()), seatport.drain(Duration.ofMillis(200))) }
    operation("Seatport.rotateVault") {
        online()
        assertEquals(0L, seatport.rotateVault())
    }
}

internal fun Operations.sessions() {
    operation("Desk.agent") { assertEquals(Agent("li", "Li Wei", Role.AGENT), li.agent()) }
    operation("Desk.may") {
        assertTrue(mei.may(Action.ASSIGN))
        assertFalse(li.may(Action.ASSIGN))
    }
    operation("Desk.addAccount") {
        val card = mei.card(mei.addAccount(NewAccount("simulated", remark = "hotline", agent = "li")))
        assertEquals(CardStatus.NOT_STARTED, card.status)
        assertEquals("hotline", card.remark)
        assertEquals("li", card.agent)
        assertNull(card.port)
    }
    operation("Desk.addAndStart") {
        assertEquals(1, mei.card(mei.addAndStart(NewAccount("simulated"))).port)
        val second = mei.addAndStart(NewAccount("simulated"), WhenFull.Wait(Duration.ofSeconds(1)))
        assertEquals(2, mei.card(second).port)
    }
    operation("Desk.card") {
        val line = online()
        val card = mei.card(line.session)
        assertEquals(line.session, card.session)
        assertEquals(CardStatus.ONLINE, card.status)
        assertEquals(line.phone.address(), card.account?.address)
        assertEquals(Login.LOGGED_IN, card.login)
        assertTrue(Action.STOP in card.actions)
    }
    operation("Desk.cards") {
        val sessions = List(3) { mei.addAccount(NewAccount("simulated", remark = "n$it")) }
        assertEquals(sessions, mei.cards().map { it.session })
        assertEquals(listOf(sessions[1]), mei.cards(SessionFilter(text = "n1")).map { it.session })
        assertEquals(sessions.drop(1), mei.cards(SessionFilter(), Page(Edge.After(sessions[0]), 10)).map { it.session })
        assertEquals(listOf(sessions[2]), mei.cards(SessionFilter(), Page(Edge.Last, 1)).map { it.session })
    }
    operation("Desk.loginCode") {
        val session = mei.addAndStart(NewAccount("simulated"))
        mei.watch(session).use { it.until { view -> view.challenge != null } }
        val challenge = mei.loginCode(session)
        assertEquals(ChallengeKind.QR, challenge.kind)
        assertEquals(1, challenge.sequence)
        assertTrue(challenge.code.expose().isNotEmpty())
    }
    operation("Desk.assign") {
        val session = mei.addAccount(NewAccount("simulated"))
        assertEquals("li", mei.assign(session, "li").agent)
        assertNull(mei.assign(session, null).agent)
    }
    operation("Desk.setRemark") {
        val session = mei.addAccount(NewAccount("simulated"))
        assertEquals("press", mei.setRemark(session, "press").remark)
    }
    operation("Desk.setEnvironment") {
        val session = mei.addAccount(NewAccount("simulated"))
        val proxy = parseProxy(Secret("socks5://desk:a-password@proxy.example:1080"))
        val environment = Environment(proxy, "Front desk", Platform.LINUX, "zh-CN", "Asia/Shanghai", mapOf("shift" to "night"))
        val shown = mei.setEnvironment(session, environment).environment
        assertEquals("proxy.example", shown.proxy?.host)
        assertEquals(1080, shown.proxy?.port)
        assertEquals("desk", shown.proxy?.username)
        assertEquals("Asia/Shanghai", shown.timeZone)
        assertEquals(Platform.LINUX, shown.platform)
        assertEquals(mapOf("shift" to "night"), shown.labels)
    }
    operation("Desk.delete") {
        val session = mei.addAccount(NewAccount("simulated"))
        mei.delete(session)
        fails<SeatportException.UnknownSession> { mei.card(session) }
    }
    operation("Desk.erase") {
        val session = mei.addAccount(NewAccount("simulated"))
        mei.erase(session)
        assertEquals(listOf<Card>(), mei.cards())
    }
}

internal fun Operations.lifecycle() {
    operation("Desk.start") {
        val session = mei.addAccount(NewAccount("simulated"))
        assertEquals(1, mei.start(session).port)
        assertEquals(1, mei.start(session, WhenFull.Fail).port)
    }
    operation("Desk.stop") {
        val stopped = mei.stop(online().session)
        assertEquals(CardStatus.OFFLINE, stopped.status)
        assertNull(stopped.port)
    }
    operation("Desk.restart") {
        val line = online()
        val since = mei.card(line.session).since
        mei.restart(line.session)
        assertEquals(1, reach(line.session) { it.status == CardStatus.ONLINE && it.since > since }.port)
    }
    operation("Desk.refreshLogin") {
        val session = mei.addAndStart(NewAccount("simulated"))
        mei.watch(session).use { it.until { view -> view.challenge != null } }
        val before = mei.loginCode(session).code.expose()
        mei.refreshLogin(session)
        mei.watch(session).use { it.until { view -> view.challenge?.let { shown -> shown.code.expose() != before } == true } }
    }
    operation("Desk.refreshLoginBy") {
        val session = mei.addAndStart(NewAccount("simulated"))
        mei.watch(session).use { it.until { view -> view.challenge != null } }
        mei.refreshLoginBy(session, LoginMethod.PairingCode("+4915112345678"))
        val view = mei.watch(session).use { it.until { view -> view.challenge?.kind == ChallengeKind.PAIRING_CODE } }
        messenger.phone("+4915112345678").enterPairingCode(view.challenge!!.code)
        reach(session) { it.status == CardStatus.ONLINE }
    }
    operation("Desk.logOut") {
        val line = online()
        mei.logOut(line.session)
        val card = reach(line.session) { it.status == CardStatus.BLOCKED }
        assertEquals(ReasonKind.LOGGED_OUT_HERE, card.reason?.kind)
        assertEquals(Login.LOGGED_OUT, card.login)
    }
}
