import ArgumentParser
import NIOCore

/// Load for `scripts/bench`: many WebSocket clients of the broker, many phones on the hub, or many STUN requests.
///
/// It prints lines of JSON, each with an `event`: `ready` (connected), `start` and `done` (of the measured time), so that
/// the caller can read the server's CPU time at the same moments.
@main
struct KibitzLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kibitz-load",
        abstract: "Load for scripts/bench.",
        subcommands: [Broker.self, Hub.self, STUN.self])
}

/// Where the server listens, and for how long it is asked.
struct Target: ParsableArguments {
    @Option(help: "The server's address.")
    var host = "127.0.0.1"

    @Option(help: "The server's port.")
    var port: Int

    @Option(help: "Seconds of measured load, 300 at most.")
    var seconds = 5.0

    func validate() throws {
        guard (1...65_535).contains(port) else { throw ValidationError("--port must be between 1 and 65535") }
        guard (0...300).contains(seconds) else { throw ValidationError("--seconds must be between 0 and 300") }
    }
}

extension KibitzLoad {
    struct Broker: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Connects pairs of clients to the broker, which send OFFER frames to each other.")

        @OptionGroup var target: Target

        @Option(help: "Pairs of clients, 5000 at most.")
        var pairs = 100

        @Option(help: "Bytes of each frame's JSON, between 256 and 65536.")
        var size = 1_500

        @Option(help: "Frames each client has under way at most; 0 sends none and only holds the clients.")
        var window = 1

        @Option(help: "Frames each client sends in a second at most; 0 sets no limit but the window.")
        var rate = 0.0

        func validate() throws {
            guard (1...5_000).contains(pairs) else { throw ValidationError("--pairs must be between 1 and 5000") }
            guard (256...65_536).contains(size) else { throw ValidationError("--size must be between 256 and 65536") }
            guard (0...1_000).contains(window) else { throw ValidationError("--window must be between 0 and 1000") }
            guard (0...100_000).contains(rate) else { throw ValidationError("--rate must be between 0 and 100000") }
        }

        func run() async throws {
            try await BrokerLoad(
                target: target,
                traffic: Traffic(
                    pairs: pairs, size: size, window: window, interval: rate > 0 ? .nanoseconds(Int64(1e9 / rate)) : nil
                )
            ).run()
        }
    }

    struct Hub: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Connects phones to the hub, which send frames to each other.")

        @OptionGroup var target: Target

        @Option(help: "The hub's blob.")
        var blob: String

        @Option(help: "Phones, 5000 at most; an even number.")
        var phones = 50

        @Option(help: "Bytes of each frame, between 64 and 65536.")
        var size = 400

        @Option(help: "Frames each phone has under way at most; 0 sends none and only holds the connections.")
        var window = 1

        @Option(help: "Frames each phone sends in a second at most; 0 sets no limit but the window.")
        var rate = 0.0

        @Flag(help: "The first phone floods the second; the others have frames echoed at the given rate.")
        var flood = false

        func validate() throws {
            guard (2...5_000).contains(phones), phones % 2 == 0 else {
                throw ValidationError("--phones must be an even number between 2 and 5000")
            }
            guard (64...65_536).contains(size) else { throw ValidationError("--size must be between 64 and 65536") }
            guard (0...1_000).contains(window) else { throw ValidationError("--window must be between 0 and 1000") }
            guard (0...100_000).contains(rate) else { throw ValidationError("--rate must be between 0 and 100000") }
            guard !flood || rate > 0 else { throw ValidationError("--flood needs --rate") }
        }

        func run() throws {
            let interval = rate > 0 ? UInt64(1e9 / rate) : nil
            let traffic: HubTraffic =
                if flood, let interval {
                    .flood(interval: interval)
                } else if window > 0 {
                    .pairs(window: window, interval: interval)
                } else {
                    .none
                }
            let load = try HubLoad(target: target, blob: blob, phones: phones, size: size, traffic: traffic)
            try load.run(seconds: target.seconds)
        }
    }

    struct STUN: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stun", abstract: "Sends STUN Binding requests and counts the answers.")

        @OptionGroup var target: Target

        @Option(help: "Requests under way at any time, 1024 at most.")
        var window = 32

        func validate() throws {
            guard (1...1_024).contains(window) else { throw ValidationError("--window must be between 1 and 1024") }
        }

        func run() throws {
            try STUNLoad(target: target, window: window).run()
        }
    }
}
