// tests/simulation/transfer_steps.h: what parties do about codes, transfers and further profiles; rows of steps.h.
#pragma once

#include "tests/simulation/world.h"

namespace registry::simulation {

void SetCode(World& world, Dice& dice);
void RequestTransfer(World& world, Dice& dice);
void AnswerTransfer(World& world, Dice& dice);
void ListTransfers(World& world, Dice& dice);
void AddProfile(World& world, Dice& dice);

}  // namespace registry::simulation
