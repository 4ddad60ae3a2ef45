import Dispatch
import Glibc
import Simulation
import Synchronization

/// Runs simulations of a box and its phones, for `scripts/test simulation`: `kibitz-simulate [FIRST] COUNT`.
///
/// Prints what is wrong with each seed that fails, at most ten of them, and a line on what happened in all; fails if any failed.
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
        let state = Mutex((summary: Simulation.Summary(), failures: 0))
        // In pieces, so that none of the processors is done long before the others.
        let piece: UInt64 = 50
        DispatchQueue.concurrentPerform(iterations: Int((count + piece - 1) / piece)) { index in
            let start = first + UInt64(index) * piece
            for seed in start..<min(start + piece, first + count) {
                do {
                    let summary = try Simulation.run(seed: seed, certificates)
                    state.withLock { $0.summary += summary }
                } catch {
                    state.withLock {
                        $0.failures += 1
                        if $0.failures <= 10 { print(error) }
                    }
                }
            }
        }
        let (summary, failures) = state.withLock { $0 }
        print(
            "\(count) seeds: \(summary.connections) connections, \(summary.messages) messages in \(summary.datagrams) "
                + "datagrams, \(summary.lost) of them lost, \(summary.moves) moves, \(summary.deaths) connections that died, "
                + "\(failures) seeds that failed")
        if failures > 0 { exit(1) }
    }
}
