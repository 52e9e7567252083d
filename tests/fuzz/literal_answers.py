"""Answers of endpoints the simulator does not offer, in their documented form; values invented."""

import json


def answer(**result: object) -> bytes:
    """Return a whole answer around a result."""
    head = {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1700000000010}
    return json.dumps(head, separators=(",", ":")).encode()


def rows(*items: object, **more: object) -> bytes:
    """Return the answer of a list."""
    return answer(**({"list": list(items)} | more))


CANDLES = (
    ["1700000040000", "30000.10", "30010.50", "29990.00", "30005.00"],
    ["1699999980000", "29990.00", "30001.00", "29985.00", "30000.10"],
)
PAGED = {"category": "linear", "nextPageCursor": "first%3D1%26last%3D2"}

LITERAL: dict[str, tuple[bytes, ...]] = {
    "/v5/market/full_orderbook": (
        answer(
            s="BTCUSDT",
            b=[["30000.00", "1.2"]],
            a=[["30000.10", "0.9"]],
            u=1001,
            seq=500001,
            ts=1700000000100,
            cts=1700000000098,
        ),
    ),
    "/v5/market/mark-price-kline": (rows(*CANDLES, symbol="BTCUSDT", category="linear"),),
    "/v5/market/index-price-kline": (rows(*CANDLES, symbol="BTCUSDT", category="linear"),),
    "/v5/market/premium-index-price-kline": (
        rows(["1700000040000", "0.000042", "-0.000110", "0.00005", "1E-8"]),
    ),
    "/v5/market/funding/history": (
        rows(
            {
                "symbol": "BTCUSDT",
                "fundingRate": "-0.0001",
                "fundingRateTimestamp": "1700006400000",
            },
            {
                "symbol": "BTCUSDT",
                "fundingRate": "0.000125",
                "fundingRateTimestamp": "1699977600000",
            },
            category="linear",
        ),
    ),
    "/v5/market/open-interest": (
        rows(
            {
                "openInterest": "461134384.00",
                "singleOpenInterest": "230567192",
                "timestamp": "1669571400000",
            },
            {"openInterest": "461134292.00", "timestamp": "1669571100000"},
            symbol="BTCUSDT",
            **PAGED,
        ),
    ),
    "/v5/market/risk-limit": (
        rows(
            {
                "id": 1,
                "symbol": "BTCUSDT",
                "riskLimitValue": "2000000",
                "maintenanceMargin": "0.005",
                "initialMargin": "0.01",
                "isLowestRisk": 1,
                "maxLeverage": "100.00",
                "mmDeduction": "",
            },
            {
                "id": 2,
                "symbol": "BTCUSDT",
                "riskLimitValue": "2600000",
                "maintenanceMargin": 0.0056,
                "initialMargin": "0.0111",
                "isLowestRisk": 0,
                "maxLeverage": "90.00",
                "mmDeduction": "1200",
            },
            **PAGED,
        ),
    ),
    "/v5/order/spot-borrow-check": (
        answer(
            symbol="BTCUSDT",
            side="Buy",
            maxTradeQty="6.6065",
            maxTradeAmount="199969.86",
            spotMaxTradeQty="2.2",
            spotMaxTradeAmount="66000.01",
            borrowCoin="USDT",
        ),
    ),
    "/v5/position/closed-pnl": (
        rows(
            {
                "symbol": "BTCUSDT",
                "orderId": "5f0c",
                "side": "Sell",
                "qty": "0.010",
                "orderPrice": "29000.5",
                "orderType": "Market",
                "execType": "Trade",
                "closedSize": "0.010",
                "cumEntryValue": "300.1",
                "avgEntryPrice": "30010",
                "cumExitValue": "301",
                "avgExitPrice": "30100",
                "closedPnl": "-0.47",
                "fillCount": "2",
                "leverage": "10",
                "openFee": "0.1",
                "closeFee": "0.16",
                "createdTime": "1700000000001",
                "updatedTime": "1700000000002",
            },
            **PAGED,
        ),
    ),
    "/v5/account/query-dcp-info": (
        answer(
            dcpInfos=[
                {"product": "DERIVATIVES", "dcpStatus": "ON", "timeWindow": "40"},
                {"product": "SPOT", "dcpStatus": "OFF", "timeWindow": "10"},
            ]
        ),
    ),
    "/v5/account/smp-group": (answer(smpGroup=0), answer(smpGroup="12")),
    "/v5/account/collateral-info": (
        rows(
            {
                "currency": "BTC",
                "hourlyBorrowRate": "0.00000147",
                "maxBorrowingAmount": "3",
                "freeBorrowingLimit": "0.043",
                "freeBorrowAmount": "0",
                "borrowAmount": "0",
                "otherBorrowAmount": "0",
                "availableToBorrow": "3",
                "borrowable": True,
                "borrowUsageRate": "0",
                "marginCollateral": True,
                "collateralSwitch": False,
                "collateralRatio": "0.95",
            }
        ),
    ),
    "/v5/account/user-setting-config": (
        answer(lpaSpot=False, lpaPerp=True, deltaEnable=False, smsef=False, fmsef=True),
    ),
    "/v5/account/instruments-info": (
        rows(
            {
                "symbol": "BTCUSDT",
                "contractType": "LinearPerpetual",
                "status": "Trading",
                "baseCoin": "BTC",
                "quoteCoin": "USDT",
                "settleCoin": "USDT",
                "launchTime": "1585526400000",
                "deliveryTime": "0",
                "deliveryFeeRate": "",
                "priceScale": "2",
                "fundingInterval": 480,
                "unifiedMarginTrade": True,
                "leverageFilter": {
                    "minLeverage": "1",
                    "maxLeverage": "100.00",
                    "leverageStep": "0.01",
                },
                "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
                "lotSizeFilter": {
                    "minOrderQty": "0.001",
                    "qtyStep": "0.001",
                    "maxOrderQty": "1190.000",
                    "maxMktOrderQty": "500.000",
                    "minNotionalValue": "5",
                },
                "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
                "preListingInfo": None,
                "isPreListing": False,
                "myRpiPermission": False,
            },
            **PAGED,
        ),
        rows(
            {
                "symbol": "BTCUSDT",
                "baseCoin": "BTC",
                "quoteCoin": "USDT",
                "status": "Trading",
                "marginTrading": "utaOnly",
                "stTag": "0",
                "xstockMultiplier": "1",
                "lotSizeFilter": {
                    "basePrecision": "0.000001",
                    "quotePrecision": "0.0000001",
                    "minOrderQty": "0.000011",
                    "minOrderAmt": "5",
                    "maxLimitOrderQty": "83",
                    "maxMarketOrderQty": "41.5",
                    "postOnlyMaxLimitOrderSize": "60000",
                },
                "priceFilter": {"tickSize": "0.1"},
                "riskParameters": {"priceLimitRatioX": "0.005", "priceLimitRatioY": "0.01"},
            },
            category="spot",
        ),
    ),
    "/v5/asset/coin/query-info": (
        answer(
            rows=[
                {
                    "name": "BTC",
                    "coin": "BTC",
                    "remainAmount": "150",
                    "chains": [
                        {
                            "chainType": "BTC",
                            "confirmation": "1",
                            "withdrawFee": "0.0005",
                            "depositMin": "0",
                            "withdrawMin": "0.001",
                            "chain": "BTC",
                            "chainDeposit": "1",
                            "chainWithdraw": "0",
                            "minAccuracy": "8",
                        }
                    ],
                },
            ]
        ),
    ),
    "/v5/order/realtime": (
        rows(
            {
                "orderId": "5f0c1f0e-0001",
                "orderLinkId": "demo-000001-000000001-K",
                "symbol": "BTCUSDT",
                "price": "30000.00",
                "qty": "0.010",
                "side": "Buy",
                "positionIdx": 0,
                "orderStatus": "New",
                "cancelType": "UNKNOWN",
                "rejectReason": "EC_NoError",
                "avgPrice": "",
                "leavesQty": "0.010",
                "cumExecQty": "0.000",
                "cumExecValue": "0",
                "cumExecFee": "0",
                "timeInForce": "GTC",
                "orderType": "Limit",
                "stopOrderType": "",
                "triggerPrice": "",
                "reduceOnly": False,
                "createdTime": "1700000000005",
                "updatedTime": "1700000000006",
                "cumFeeDetail": {},
            },
            category="linear",
            nextPageCursor="",
        ),
    ),
}
