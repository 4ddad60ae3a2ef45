import Simulation
import Testing

/// A few of the seeds that `scripts/test simulation` runs by the thousand. One that fails there is run again by
/// `kibitz-simulate SEED 1`.
@Suite("Simulation")
struct SimulationTests {
    @Test("Every message arrives once and in order, or both sides know that the connection is dead")
    func seeds() throws {
        let certificates = try Simulation.Certificates()
        var total = Simulation.Summary()
        for seed in 0..<60 as Range<UInt64> {
            do {
                total += try Simulation.run(seed: seed, certificates)
            } catch {
                Issue.record(error)
            }
        }
        // The seeds do what they are for.
        #expect(total.connections > 60)
        #expect(total.messages > 1_000)
        #expect(total.moves > 20)
        #expect(total.lost > 500)
        #expect(total.deaths > 0)
    }

    @Test("A seed gives the same again, whatever DTLS draws by itself")
    func reproduction() throws {
        for seed in 100..<105 as Range<UInt64> {
            let first = try Simulation.run(seed: seed, Simulation.Certificates())
            let second = try Simulation.run(seed: seed, Simulation.Certificates())
            #expect(first == second, "seed \(seed)")
        }
    }
}
