import IEEE80211
import SAE
import SAEClient
import SansIO
import TestSupport
import Testing
import WiFiCrypto
import Wire

@Suite struct ExchangeTests {
    @Test("Both methods end with the same key on both sides", arguments: SAEMethod.allCases)
    func accepts(_ method: SAEMethod) throws {
        var network = try TestNetwork()
        var client = try network.client(1, method)
        try network.run(&client)
        guard case .accepted(let pmk, let pmkid) = client.state else {
            Issue.record("the client is \(client.state)")
            return
        }
        #expect(network.output.events == [.accepted(client.address, pmk: pmk, pmkid: pmkid, method: method)])
        #expect(pmk.count == 32)
        #expect(network.authenticator.key(for: client.address, pmkid: pmkid)?.pmk == pmk)
        #expect(network.authenticator.halfOpenCount == 0)
        #expect(network.authenticator.counters.accepted == 1)
    }

    @Test("Commit answers commit, confirm answers confirm, and nothing comes unasked", arguments: SAEMethod.allCases)
    func alternates(_ method: SAEMethod) throws {
        var network = try TestNetwork()
        var client = try network.client(1, method)
        let commits = network.receive(client.start(), from: client.address)
        #expect(commits.map(\.transaction) == [1])
        #expect(commits.map(\.status) == [method.status])
        #expect(commits.first?.body.count == SAECommitBody.size)
        let commit = try #require(commits.first)
        let confirm = try #require(try client.receive(commit))
        let confirms = network.receive(confirm, from: client.address)
        #expect(confirms.map(\.transaction) == [2])
        #expect(confirms.map(\.status) == [.success])
        #expect(confirms.first?.body.count == 34)
    }

    @Test("A wrong password shows as a confirm that does not verify", arguments: SAEMethod.allCases)
    func wrongPassword(_ method: SAEMethod) throws {
        var network = try TestNetwork()
        var client = try network.client(1, method, password: "wrong horse")
        try network.run(&client)
        #expect(client.state == .failed(.challengeFailure))
        #expect(network.output.events == [.refused(client.address, .wrongPassword)])
        #expect(network.authenticator.exchangeCount == 0)
        #expect(network.authenticator.cachedKeyCount == 0)

        // The next try, with the right password, is not hindered.
        var again = try network.client(1, method)
        try network.run(&again)
        guard case .accepted = again.state else {
            Issue.record("the second try ends \(again.state)")
            return
        }
    }

    @Test("A second confirm is no second guess: the exchange is gone")
    func oneGuess() throws {
        var network = try TestNetwork()
        var client = try network.client(1)
        let commit = try #require(network.receive(client.start(), from: client.address).first)
        let confirm = try #require(try client.receive(commit))
        var wrong = confirm
        wrong.body[10] ^= 1
        #expect(network.receive(wrong, from: client.address).map(\.status) == [.challengeFailure])
        #expect(network.receive(confirm, from: client.address).isEmpty)
        #expect(network.authenticator.counters.accepted == 0)
    }

    @Test("Our own commit sent back is ignored", arguments: SAEMethod.allCases)
    func reflection(_ method: SAEMethod) throws {
        var network = try TestNetwork()
        var client = try network.client(1, method)
        let commit = try #require(network.receive(client.start(), from: client.address).first)
        #expect(network.receive(commit, from: client.address).isEmpty)
        #expect(network.output.events.isEmpty)
        // The exchange goes on.
        let confirm = try #require(try client.receive(commit))
        #expect(network.receive(confirm, from: client.address).map(\.status) == [.success])
    }

    @Test("Scalars and elements that are not of the group", arguments: SAEMethod.allCases)
    func invalidShares(_ method: SAEMethod) throws {
        var network = try TestNetwork()
        var client = try network.client(1, method)
        let good = client.start()
        let order = bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
        let prime = bytes("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
        let zero = [UInt8](repeating: 0, count: 32)
        let one = [UInt8](repeating: 0, count: 31) + [1]
        let all = [UInt8](repeating: 255, count: 32)
        for scalar in [zero, one, order, all] {
            var bad = good
            bad.body.replaceSubrange(2..<34, with: scalar)
            #expect(network.receive(bad, from: client.address).map(\.status) == [.unspecifiedFailure])
            #expect(network.output.events == [.refused(client.address, .invalidShare)])
        }
        for (x, y) in [(zero, zero), (one, one), (prime, zero), (all, all), (Array(good.body[34..<66]), zero)] {
            var bad = good
            bad.body.replaceSubrange(34..<98, with: x + y)
            #expect(network.receive(bad, from: client.address).map(\.status) == [.unspecifiedFailure])
            #expect(network.output.events == [.refused(client.address, .invalidShare)])
        }
        #expect(network.authenticator.exchangeCount == 0)
        // The same in an exchange that has begun does not disturb it.
        let commit = try #require(network.receive(good, from: client.address).first)
        var bad = good
        bad.body.replaceSubrange(2..<34, with: order)
        network.receive(bad, from: client.address)
        let confirm = try #require(try client.receive(commit))
        #expect(network.receive(confirm, from: client.address).map(\.status) == [.success])
    }

    @Test("A share that leads to the point at infinity proves nothing")
    func infinity() throws {
        var network = try TestNetwork()
        // The element −scalar·PWE makes the shared secret infinite; one who knows the password can send it.
        let password = try SAEPassword(
            SecretBytes(Array(TestNetwork.password.utf8)), ssid: Array(TestNetwork.ssid.utf8), curve: TestNetwork.curve)
        let address = MACAddress(0x0200_0000_2000)
        let element = try password.element(
            by: .hashToElement, for: address, TestNetwork.bss, using: &network.generator)
        let scalar = try TestNetwork.curve.randomScalar(using: &network.generator)
        let multiple = try #require(try element.multiplied(by: scalar))
        var writer = ByteWriter()
        SAECommitBody.write(
            SAEShare(scalar: scalar, element: try TestNetwork.curve.negate(multiple)), method: .hashToElement,
            into: &writer)
        let commit = SAEClient.Frame(transaction: 1, status: .saeHashToElement, body: writer.bytes)
        #expect(network.receive(commit, from: address).map(\.status) == [.saeHashToElement])
        let confirm = SAEClient.Frame(transaction: 2, status: .success, body: [UInt8](repeating: 0, count: 34))
        #expect(network.receive(confirm, from: address).map(\.status) == [.challengeFailure])
        #expect(network.authenticator.counters.accepted == 0)
    }

    @Test("Another group is refused by name, and the rejected one is bound into the key", arguments: SAEMethod.allCases)
    func groups(_ method: SAEMethod) throws {
        var network = try TestNetwork()
        var client = try network.client(1, method, groups: [20, 21, 19])
        let answer = network.receive(client.start(), from: client.address)
        #expect(
            answer == [SAEClient.Frame(transaction: 1, status: .unsupportedFiniteCyclicGroup, body: [20, 0])])
        #expect(network.output.events == [.refused(client.address, .unsupportedGroup(20))])
        try network.run(&client)
        guard case .accepted(let pmk, _) = client.state else {
            Issue.record("the client is \(client.state)")
            return
        }
        guard case .accepted(_, let ours, _, _)? = network.output.events.first else {
            Issue.record("the access point did not accept")
            return
        }
        #expect(ours == pmk)
    }

    @Test("A commit that says group 19 was rejected is a forgery of its rejection")
    func downgrade() throws {
        var network = try TestNetwork()
        var client = try network.client(1, groups: [19])
        var commit = client.start()
        var writer = ByteWriter()
        writer.write(element: .rejectedGroups, body: [21, 0, 19, 0])
        commit.body += writer.bytes
        #expect(network.receive(commit, from: client.address).map(\.status) == [.unspecifiedFailure])
        #expect(network.output.events == [.refused(client.address, .downgrade)])
    }

    @Test("Methods that are not allowed, SAE-PK, password identifiers")
    func unsupported() throws {
        var network = try TestNetwork(accepts: [.hashToElement])
        var client = try network.client(1, .huntingAndPecking)
        #expect(network.receive(client.start(), from: client.address).map(\.status) == [.unspecifiedFailure])
        #expect(network.output.events == [.refused(client.address, .unsupportedMethod(.success))])
        var other = try network.client(2)
        var commit = other.start()
        commit.status = .saePublicKey
        #expect(network.receive(commit, from: other.address).map(\.status) == [.unspecifiedFailure])
        commit.status = .saeHashToElement
        var writer = ByteWriter()
        writer.write(element: .passwordIdentifier, body: Array("guest".utf8))
        commit.body += writer.bytes
        #expect(network.receive(commit, from: other.address).map(\.status) == [.unknownPasswordIdentifier])
        #expect(network.authenticator.exchangeCount == 0)
    }

    @Test(
        "Every truncation of commit and confirm, and frames of neither kind, change nothing",
        arguments: SAEMethod.allCases)
    func truncations(_ method: SAEMethod) throws {
        var network = try TestNetwork()
        var client = try network.client(1, method)
        let good = client.start()
        for count in 0..<good.body.count {
            var cut = good
            cut.body.removeLast(good.body.count - count)
            network.receive(cut, from: client.address)
            #expect(network.authenticator.exchangeCount == 0)
        }
        let commit = try #require(network.receive(good, from: client.address).first)
        let confirm = try #require(try client.receive(commit))
        for count in 0..<confirm.body.count {
            var cut = confirm
            cut.body.removeLast(confirm.body.count - count)
            #expect(network.receive(cut, from: client.address).isEmpty)
        }
        for transaction in [0, 3, 65_535] as [UInt16] {
            var odd = confirm
            odd.transaction = transaction
            #expect(network.receive(odd, from: client.address).isEmpty)
        }
        #expect(network.receive(confirm, from: MACAddress.broadcast).isEmpty)
        #expect(network.receive(confirm, from: TestNetwork.bss).isEmpty)
        #expect(network.receive(confirm, from: client.address).map(\.status) == [.success])
    }

    @Test("A key is kept for its lifetime, the oldest goes first, and what is to be forgotten is")
    func cachedKeys() throws {
        var limits = SAELimits()
        limits.cachedKeys = 3
        limits.cachedKeyLifetime = .seconds(1000)
        var network = try TestNetwork(limits: limits)
        var names: [(MACAddress, [UInt8])] = []
        for number in 0..<4 as Range<UInt64> {
            var client = try network.client(number)
            try network.run(&client)
            guard case .accepted(_, let pmkid) = client.state else {
                Issue.record("client \(number) is \(client.state)")
                return
            }
            names.append((client.address, pmkid))
            network.pass(.seconds(1))
        }
        let isKept = { (network: TestNetwork, index: Int) in
            network.authenticator.key(for: names[index].0, pmkid: names[index].1)?.pmk != nil
        }
        #expect([0, 1, 2, 3].map { isKept(network, $0) } == [false, true, true, true])
        // Another's name, and a name that is none.
        #expect(network.authenticator.key(for: names[1].0, pmkid: names[2].1)?.pmk == nil)
        #expect(network.authenticator.key(for: names[1].0, pmkid: [])?.pmk == nil)
        network.input(.forget(names[1].0))
        #expect([1, 2, 3].map { isKept(network, $0) } == [false, true, true])
        // The last came a second before now, the one before it two.
        network.pass(.seconds(1000 - 2) + .milliseconds(500))
        #expect([2, 3].map { isKept(network, $0) } == [false, true])
        network.input(.forgetAll)
        #expect(!isKept(network, 3))
        #expect(network.authenticator.exchangeCount == 0)
        #expect(network.wake == nil)
    }
}
