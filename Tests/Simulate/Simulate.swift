import Dispatch
import Glibc
import Simulation
import Synchronization

/// Runs simulations of a box and its phones, for `scripts/test simulation`: `kibitz-simulate [FIRST] COUNT`. Each seed gives one of
/// the connections alone and one of the whole hub.
///
/// Prints what is wrong with each seed that fails, at most ten of them, and what happened in all; fails if any failed.
@main
enum Simulate {
    static func main() throws {
        let numbers = CommandLine.arguments.dropFirst().map { UInt64($0) }
        guard let last = numbers.last, let count = last, let first = numbers.count == 1 ? 0 : numbers[0],
            numbers.count <= 2
        else {
            print("usage: kibitz-simulate [FIRST SEED] COUNT")
            exit(2)
        }
        let certificates = try Simulation.Certificates()
        let state = Mutex((connections: Simulation.Summary(), hub: HubSimulation.Summary(), failures: 0))
        // In pieces, so that none of the processors is done long before the others.
        let piece: UInt64 = 50
        DispatchQueue.concurrentPerform(iterations: Int((count + piece - 1) / piece)) { index in
            let start = first + UInt64(index) * piece
            for seed in start..<min(start + piece, first + count) {
                do {
                    let connections = try Simulation.run(seed: seed, certificates)
                    let hub = try HubSimulation.run(seed: seed, certificates)
                    state.withLock {
                        $0.connections += connections
                        $0.hub += hub
                    }
                } catch {
                    state.withLock {
                        $0.failures += 1
                        if $0.failures <= 10 { print(error) }
                    }
                }
            }
        }
        let (connections, hub, failures) = state.withLock { $0 }
        print(
            "\(count) seeds, connections: \(connections.connections), \(connections.messages) messages in "
                + "\(connections.datagrams) datagrams, \(connections.lost) of them lost, \(connections.moves) moves, "
                + "\(connections.deaths) connections that died")
        print(
            "\(count) seeds, the hub: \(hub.connections) connections, \(hub.returns) returns, \(hub.messages) messages and "
                + "\(hub.texts) texts in \(hub.datagrams) datagrams, \(hub.lost) of them lost, \(hub.moves) moves, "
                + "\(hub.restarts) restarts, \(hub.gaps) gaps")
        print("\(failures) seeds that failed")
        if failures > 0 { exit(1) }
    }
}
