import Simulation
import Testing

/// A few of the seeds that `scripts/test simulation` runs by the thousand. One that fails there is run again by
/// `kibitz-simulate SEED 1`.
@Suite("Simulation of the hub")
struct SimulationTests {
    @Test("Who comes back has its id; every message arrives once and in order, or the receiver is told of a gap")
    func seeds() throws {
        let certificates = try Simulation.Certificates()
        var total = HubSimulation.Summary()
        for seed in 0..<40 as Range<UInt64> {
            do {
                total += try HubSimulation.run(seed: seed, certificates)
            } catch {
                Issue.record(error)
            }
        }
        // The seeds do what they are for.
        #expect(total.connections > 200)
        #expect(total.returns > 50)
        #expect(total.messages > 1_000)
        #expect(total.texts > 50)
        #expect(total.gaps > 0)
        #expect(total.moves > 10)
        #expect(total.restarts > 5)
        #expect(total.lost > 500)
    }

    @Test("A seed gives the same again, whatever DTLS draws by itself")
    func reproduction() throws {
        for seed in 100..<104 as Range<UInt64> {
            let first = try HubSimulation.run(seed: seed, Simulation.Certificates())
            let second = try HubSimulation.run(seed: seed, Simulation.Certificates())
            #expect(first == second, "seed \(seed)")
        }
    }
}
