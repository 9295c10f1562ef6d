package dev.seatport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

/** What a host in Java writes. */
class FromJavaTest {
    private static Desk desk(Seatport seatport) {
        Async.call(done -> seatport.putAgent(new Agent("mei", "Mei Lin", Role.SUPERVISOR), done)).join();
        return Async.<Desk>call(done -> seatport.desk("mei", done)).join();
    }

    @Test
    void everythingIsReachedWithFutures() throws SeatportException {
        Messenger messenger = new Messenger(7);
        Options options = new Options(Storage.Memory.INSTANCE, List.of(messenger.network()), VaultKey.generate());
        try (Seatport seatport = Async.open(options).join()) {
            Desk desk = desk(seatport);
            CompletableFuture<String> added = Async.call(done -> desk.addAndStart(new NewAccount("simulated"), WhenFull.Fail.INSTANCE, done));
            String session = added.join();
            try (Watch watch = Async.<Watch>call(done -> desk.watch(session, done)).join()) {
                Async.<View>call(done -> watch.until(view -> view.getChallenge() != null, done)).join();
                LoginChallenge challenge = Async.<LoginChallenge>call(done -> desk.loginCode(session, done)).join();
                messenger.phone("+4915112345678").scan(challenge.getCode());
                View online = Async.<View>call(done -> watch.until(view -> view.getCard().getStatus() == CardStatus.ONLINE, done)).join();
                assertEquals(1, online.getCard().getPort());
                assertEquals(0L, online.getCard().getUnread());
            }
            List<Card> cards = Async.<List<Card>>call(done -> desk.cards(new SessionFilter(), new Page(Edge.First.INSTANCE, 10), done)).join();
            assertEquals(session, cards.get(0).getSession());
            try (EventFeed feed = Async.<EventFeed>call(done -> desk.events(Map.of(), done)).join()) {
                List<Event> events = Async.<List<Event>>call(done -> feed.nextBatch(10, done)).join();
                assertEquals(1L, events.get(0).getSeq());
            }
        }
    }

    @Test
    void anErrorIsTheCauseAndHasItsKind() {
        try (Seatport seatport = Async.open(new Options(Storage.Memory.INSTANCE)).join()) {
            Desk desk = desk(seatport);
            CompletableFuture<Card> unknown = Async.call(done -> desk.card("nonsense", done));
            CompletionException thrown = assertThrows(CompletionException.class, unknown::join);
            SeatportException.Invalid invalid = assertInstanceOf(SeatportException.Invalid.class, thrown.getCause());
            assertEquals(invalid.getDetail(), invalid.getMessage());
            assertTrue(!Exceptions.getRetry(invalid));
        }
        assertThrows(SeatportException.class, () -> VaultKey.fromBytes(new byte[31]));
    }

    @Test
    void aCancelledFutureDropsTheCall() {
        try (Seatport seatport = Async.open(new Options(Storage.Memory.INSTANCE)).join()) {
            Desk desk = desk(seatport);
            try (EventFeed feed = Async.<EventFeed>call(done -> desk.events(Map.of(), done)).join()) {
                CompletableFuture<Event> waiting = Async.call(feed::next);
                assertTrue(waiting.cancel(true));
                CompletableFuture<Event> next = Async.call(feed::next);
                feed.close();
                CompletionException thrown = assertThrows(CompletionException.class, next::join);
                assertInstanceOf(SeatportException.Closed.class, thrown.getCause());
            }
        }
    }

    @Test
    void aTransportInJavaCarriesMessages() throws Exception {
        ConcurrentLinkedQueue<String> sent = new ConcurrentLinkedQueue<>();
        AsyncTransport transport = dial -> Async.call(done -> dial.getSignals().ready(new Account("me@java"), done))
            .thenApply(ready -> new AsyncConnection() {
                @Override
                public CompletionStage<?> send(OutboundMessage message) {
                    if (sent.isEmpty()) {
                        sent.add("refused");
                        return CompletableFuture.failedFuture(new TransportException.Refused("too rude"));
                    }
                    sent.add(message.getId());
                    return CompletableFuture.completedFuture(null);
                }

                @Override
                public CompletionStage<?> markRead(String chat, List<ReadMessage> messages) {
                    return CompletableFuture.completedFuture(null);
                }

                @Override
                public CompletionStage<?> logOut() {
                    return CompletableFuture.completedFuture(null);
                }

                @Override
                public CompletionStage<?> close() {
                    return CompletableFuture.completedFuture(null);
                }
            });
        Network network = Network.hosted("java", new Capabilities(), Async.transport(transport));
        try (Seatport seatport = Async.open(new Options(Storage.Memory.INSTANCE, List.of(network))).join()) {
            Desk desk = desk(seatport);
            String session = Async.<String>call(done -> desk.addAndStart(new NewAccount("java"), done)).join();
            try (Watch watch = Async.<Watch>call(done -> desk.watch(session, done)).join()) {
                Async.<View>call(done -> watch.until(view -> view.getCard().getStatus() == CardStatus.ONLINE, done)).join();
            }
            String rude = Async.<String>call(done -> desk.sendText(session, "bob@java", "rude", done)).join();
            String polite = Async.<String>call(done -> desk.sendText(session, "bob@java", "polite", done)).join();
            while (status(desk, session, polite) == MessageStatus.PENDING) {
                Thread.sleep(10);
            }
            assertEquals(MessageStatus.SENT, status(desk, session, polite));
            assertEquals(MessageStatus.FAILED, status(desk, session, rude));
            assertEquals(List.of("refused", polite), List.copyOf(sent));
            Async.call(done -> seatport.shutdown(Duration.ofSeconds(5), done)).join();
        }
    }

    private static MessageStatus status(Desk desk, String session, String id) {
        return Async.<StoredMessage>call(done -> desk.message(session, "bob@java", id, done)).join().getMessage().getStatus();
    }
}
