import IEEE80211
import SAE
import SAEClient
import SansIO
import TestSupport
import Testing
import WiFiCrypto
import Wire

/// Who sends many commits, from addresses that are made up (IEEE 802.11-2020, 12.4.6).
@Suite struct FloodTests {
    /// Fills the exchanges up to the threshold.
    private func crowd(_ network: inout TestNetwork, _ method: SAEMethod) throws {
        for number in 0..<UInt64(SAELimits().tokenThreshold) {
            var client = try network.client(1000 + number, method)
            #expect(network.receive(client.start(), from: client.address).map(\.status) == [method.status])
        }
    }

    @Test("Beyond the threshold a commit needs a token, and with one it goes on", arguments: SAEMethod.allCases)
    func tokens(_ method: SAEMethod) throws {
        var network = try TestNetwork()
        try crowd(&network, method)
        var client = try network.client(1, method)
        let request = try #require(network.receive(client.start(), from: client.address).first)
        #expect(request.transaction == 1)
        #expect(request.status == .antiCloggingTokenRequired)
        switch method {
        case .huntingAndPecking:
            #expect(request.body.count == 2 + 32)
            #expect(request.body.prefix(2) == [19, 0])
        case .hashToElement:
            #expect(request.body.count == 2 + 3 + 32)
            #expect(request.body.prefix(5) == [19, 0, 255, 33, 93])
        }
        #expect(network.authenticator.halfOpenCount == SAELimits().tokenThreshold, "nothing is kept")
        let commit = try #require(try client.receive(request))
        let answer = try #require(network.receive(commit, from: client.address).first)
        #expect(answer.status == method.status)
        let confirm = try #require(try client.receive(answer))
        #expect(network.receive(confirm, from: client.address).map(\.status) == [.success])
        #expect(client.tokensBrought == 1)
    }

    @Test("With hunting-and-pecking a token is known by itself, whatever the bytes behind it look like")
    func lookalikes() throws {
        var network = try TestNetwork()
        try crowd(&network, .huntingAndPecking)
        // Of a token of 32 octets, scalar and x, the y coordinate is where elements would be; some hundredth part of all
        // numbers can be read as elements.
        var number: UInt64 = 0
        var lookalikes = 0
        while lookalikes < 3 {
            number += 1
            var client = try network.client(number, .huntingAndPecking)
            let y = client.share.element.y.withUnsafeBytes { [UInt8]($0) }
            var reader = ElementReader(y.span.bytes)
            while reader.next() != nil {}
            guard !reader.isMalformed else { continue }
            lookalikes += 1
            try network.run(&client)
            guard case .accepted = client.state else {
                Issue.record("the client is \(client.state)")
                return
            }
            #expect(client.tokensBrought == 1)
        }
        // And elements of a token's length are no token.
        var client = try network.client(1, .huntingAndPecking)
        var commit = client.start()
        var writer = ByteWriter()
        writer.write(element: .passwordIdentifier, body: [UInt8](repeating: 65, count: 29))
        commit.body += writer.bytes
        #expect(network.receive(commit, from: client.address).map(\.status) == [.unknownPasswordIdentifier])
    }

    @Test("A token is good for its address and its time only", arguments: SAEMethod.allCases)
    func foreignTokens(_ method: SAEMethod) throws {
        var limits = SAELimits()
        limits.exchangeLifetime = .seconds(1000)
        var network = try TestNetwork(limits: limits)
        try crowd(&network, method)
        var client = try network.client(1, method)
        let request = try #require(network.receive(client.start(), from: client.address).first)
        let commit = try #require(try client.receive(request))
        let other = MACAddress(0x0200_0000_4000)
        #expect(network.receive(commit, from: other).map(\.status) == [.antiCloggingTokenRequired])
        for index in commit.body.indices.suffix(32) where method == .hashToElement {
            var altered = commit
            altered.body[index] ^= 0x80
            #expect(network.receive(altered, from: client.address).map(\.status) == [.antiCloggingTokenRequired])
        }
        // The key is replaced once, the token still holds; replaced twice, it does not.
        network.pass(limits.tokenLifetime * 1.5)
        let late = MACAddress(0x0200_0000_4001)
        #expect(network.receive(commit, from: late).map(\.status) == [.antiCloggingTokenRequired])
        var patient = network
        #expect(patient.receive(commit, from: client.address).map(\.status) == [method.status])
        network.pass(limits.tokenLifetime)
        #expect(network.receive(commit, from: client.address).map(\.status) == [.antiCloggingTokenRequired])
    }

    @Test(
        "A flood from made-up addresses leaves a phone able to come in, and nothing grows",
        arguments: SAEMethod.allCases)
    func flood(_ method: SAEMethod) throws {
        var network = try TestNetwork()
        // One valid share is enough for whoever floods.
        var attacker = try network.client(1, method, password: "whatever")
        let commit = attacker.start()
        var made: UInt64 = 0x0600_0000_0000
        let flood = { (network: inout TestNetwork, count: Int) in
            for _ in 0..<count {
                made += 1
                network.now = network.now + .microseconds(100)
                network.receive(commit, from: MACAddress(made))
            }
        }
        flood(&network, 5_000)
        for number in 0..<5 as Range<UInt64> {
            var client = try network.client(100 + number, method)
            var pending = client.start()
            while true {
                // 20 ms between a phone's frames.
                flood(&network, 200)
                guard let answer = network.receive(pending, from: client.address).first,
                    let next = try client.receive(answer)
                else { break }
                pending = next
            }
            guard case .accepted = client.state else {
                Issue.record("phone \(number) is \(client.state)")
                return
            }
            #expect(client.tokensBrought == 1)
        }
        #expect(network.authenticator.halfOpenCount <= SAELimits().tokenThreshold)
        #expect(network.authenticator.counters.overworked == 0)
        network.pass(.seconds(60))
        #expect(network.authenticator.exchangeCount == 0)
    }

    @Test("Even one who gets the tokens fills no more than the limits, and a phone that hurries comes in")
    func floodWithTokens() throws {
        var network = try TestNetwork()
        var attacker = try network.client(1, password: "whatever")
        let commit = attacker.start()
        var made: UInt64 = 0x0600_0000_0000
        let flood = { (network: inout TestNetwork, count: Int) in
            for _ in 0..<count {
                made += 1
                network.now = network.now + .milliseconds(1)
                var again = commit
                if let answer = network.receive(commit, from: MACAddress(made)).first,
                    answer.status == .antiCloggingTokenRequired
                {
                    again.body += answer.body.dropFirst(2)
                    network.receive(again, from: MACAddress(made))
                }
                #expect(network.authenticator.halfOpenCount <= SAELimits().halfOpenExchanges)
            }
        }
        flood(&network, 1_000)
        #expect(network.authenticator.halfOpenCount == SAELimits().halfOpenExchanges)
        #expect(network.authenticator.counters.evicted > 0)
        var client = try network.client(100)
        var pending = client.start()
        while true {
            flood(&network, 20)
            guard let answer = network.receive(pending, from: client.address).first,
                let next = try client.receive(answer)
            else { break }
            pending = next
        }
        guard case .accepted = client.state else {
            Issue.record("the phone is \(client.state)")
            return
        }
    }

    @Test("Commits of one address without end cost no more than the work that is allowed")
    func work() throws {
        var limits = SAELimits()
        limits.workPerSecond = 100
        var network = try TestNetwork(limits: limits)
        var answered = 0
        for number in 0..<200 as Range<UInt64> {
            // The same address, each time with another share and a confirm that needs the keys.
            var client = try network.client(1, password: "guess \(number)")
            network.receive(client.start(), from: client.address)
            let confirm = SAEClient.Frame(transaction: 2, status: .success, body: [UInt8](repeating: 0, count: 34))
            if !network.receive(confirm, from: client.address).isEmpty { answered += 1 }
        }
        // Each takes three multiplications.
        #expect(answered == 33)
        #expect(network.authenticator.counters.overworked > 0)
        network.pass(.seconds(1))
        var client = try network.client(2)
        try network.run(&client)
        guard case .accepted = client.state else {
            Issue.record("the client is \(client.state)")
            return
        }
    }

    @Test("Guests with the password cannot make it remember without bound")
    func acceptedExchanges() throws {
        var network = try TestNetwork()
        for number in 0..<150 as Range<UInt64> {
            var client = try network.client(number)
            try network.run(&client)
            network.now = network.now + .milliseconds(5)
        }
        #expect(network.authenticator.counters.accepted == 150)
        #expect(network.authenticator.exchangeCount <= SAELimits().halfOpenExchanges)
        #expect(network.authenticator.cachedKeyCount == 150)
    }
}
